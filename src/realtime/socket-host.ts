import type { AckId, Incoming, Outgoing } from '@/realtime/protocol/codec';
import { CODECS } from '@/realtime/protocol';
import { CLOSE } from '@/realtime/connection';
import type { Connection, HandshakeParts, Wire } from '@/realtime/connection';

/** Longest text frame, in bytes (contract 6). */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** What a frame that waits counts besides its text, in bytes: others wait for its time. Of the shortest some 5,000 may. */
const FRAME_OVERHEAD = 3_200;
/** A frame of the largest kind that waits. */
const LARGEST = MAX_FRAME_BYTES + FRAME_OVERHEAD;
/**
 * What frames of one socket that wait for their turn may take; a flood past it closes the socket. A gateway is shared:
 * with `all` waiting in an object, no socket may have more than one there, or `little`.
 */
const MAX_WAITING = { size: 16 * LARGEST, all: 32 * LARGEST, little: 65_536 };

/** A socket that has not said yet whose it is (gateway only): until when it may, and what its upgrade said. */
export interface PendingSocket {
    v: 1;
    wire: Wire;
    pendingUntil: number;
    parts: HandshakeParts;
}

/** What the attachment of a hosted socket holds. */
export type SocketState = Connection | PendingSocket;

/** Tells a socket that is still to authenticate from a connection. */
export function isPending(state: SocketState): state is PendingSocket {
    return 'pendingUntil' in state;
}

/**
 * The sockets of a Durable Object, hub or gateway: accepted hibernating, their state in their attachments, their frames
 * handled in order. It knows wires, not the product.
 */
export interface SocketHost {
    /** Takes a new socket and answers its upgrade. */
    accept(state: SocketState): { response: Response; socket: WebSocket };
    /** Open sockets with their states; closing ones are left out. */
    sockets(): Generator<[WebSocket, SocketState]>;
    /** Those of one account, without a look at the others. */
    socketsOf(accountId: string): Generator<[WebSocket, Connection]>;
    /** The open socket of a connection. */
    find(connectionId: string): WebSocket | undefined;
    stateOf(socket: WebSocket): SocketState;
    setState(socket: WebSocket, state: SocketState): void;
    /** Hands a frame to the handler once the socket's earlier frames are done; may resolve before. Never throws. */
    receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void>;
    /** A socket has closed. Frames that it sent before are handled all the same: resolves when they are. */
    drained(socket: WebSocket): Promise<void>;
    sendEvent(socket: WebSocket, event: string, data: unknown, ackId?: AckId): void;
    sendAck(socket: WebSocket, ackId: AckId, value: unknown): void;
    /** Closes a socket from this side: what it has sent and was not handled yet is dropped. */
    close(socket: WebSocket, code: number, reason: string): void;
}

/** Handles one decoded frame. What it throws closes the socket: its client comes back, and tries again. */
export type FrameHandler = (socket: WebSocket, frame: Incoming) => Promise<void>;

/** Which socket is whose, in an object that may hold those of thousands of accounts. */
interface Index {
    accounts: Map<string, Set<WebSocket>>;
    connections: Map<string, WebSocket>;
}

/** Frames of a socket on their way to the handler. */
interface Queue {
    waiting: string[];
    size: number;
    /** Until all are handled. */
    work?: Promise<void>;
    /** No more frames are taken. */
    full: boolean;
    /** Those that wait are not handled any more. */
    dropped: boolean;
}

/** Creates the host of an object's sockets. */
export function createSocketHost(
    ctx: DurableObjectState,
    handle: FrameHandler,
    onError: (error: unknown) => void,
): SocketHost {
    // Only caches: after an eviction states come back from the attachments, and queues are empty.
    const states = new WeakMap<WebSocket, SocketState>();
    const queues = new WeakMap<WebSocket, Queue>();
    let index: Index | undefined;
    let waiting = 0;

    function indexed(): Index {
        if (!index) {
            index = { accounts: new Map(), connections: new Map() };
            for (const [socket, state] of host.sockets()) enter(socket, state);
        }
        return index;
    }

    function enter(socket: WebSocket, state: SocketState): void {
        if (!index || isPending(state) || socket.readyState !== WebSocket.OPEN) return;
        const { accounts, connections } = index;
        connections.set(state.id, socket);
        accounts.set(state.accountId, (accounts.get(state.accountId) ?? new Set()).add(socket));
    }

    function leave(socket: WebSocket): void {
        const state = host.stateOf(socket);
        if (!index || isPending(state)) return;
        const { accounts, connections } = index;
        connections.delete(state.id);
        const others = accounts.get(state.accountId);
        others?.delete(socket);
        if (others?.size === 0) accounts.delete(state.accountId);
    }

    function queueOf(socket: WebSocket): Queue {
        let queue = queues.get(socket);
        if (!queue) {
            queue = { waiting: [], size: 0, full: false, dropped: false };
            queues.set(socket, queue);
        }
        return queue;
    }

    async function workOff(socket: WebSocket, queue: Queue): Promise<void> {
        for (let message = queue.waiting.shift(); message !== undefined; message = queue.waiting.shift()) {
            queue.size -= sizeOf(message);
            waiting -= sizeOf(message);
            if (queue.dropped) continue;
            try {
                await handle(socket, CODECS[wireOf(socket)].decode(message));
            } catch (error) {
                onError(error);
                host.close(socket, CLOSE.tryAgainLater, 'Try again later');
            }
        }
        delete queue.work;
    }

    const host: SocketHost = {
        accept(state) {
            const { 0: client, 1: socket } = new WebSocketPair();
            ctx.acceptWebSocket(socket);
            host.setState(socket, state);
            send(socket, CODECS[state.wire].greeting());
            return { response: new Response(null, { status: 101, webSocket: client }), socket };
        },
        *sockets() {
            for (const socket of ctx.getWebSockets()) {
                if (socket.readyState === WebSocket.OPEN) yield [socket, host.stateOf(socket)];
            }
        },
        *socketsOf(accountId) {
            for (const socket of indexed().accounts.get(accountId) ?? []) {
                if (socket.readyState === WebSocket.OPEN) yield [socket, host.stateOf(socket) as Connection];
            }
        },
        find(connectionId) {
            const socket = indexed().connections.get(connectionId);
            return socket?.readyState === WebSocket.OPEN ? socket : undefined;
        },
        stateOf(socket) {
            let state = states.get(socket);
            if (!state) {
                state = socket.deserializeAttachment() as SocketState;
                states.set(socket, state);
            }
            return state;
        },
        setState(socket, state) {
            socket.serializeAttachment(state);
            states.set(socket, state);
            enter(socket, state);
        },
        async receive(socket, message) {
            const queue = queueOf(socket);
            if (queue.full || queue.dropped) return;
            if (typeof message !== 'string') return host.close(socket, CLOSE.unsupportedData, 'Text frames only');
            if (tooLarge(message)) return host.close(socket, CLOSE.messageTooLarge, 'Frame larger than 1 MiB');
            // Who has yet to say whose it is has nothing else to say.
            const pending = isPending(host.stateOf(socket));
            const size = sizeOf(message);
            const isMuch = queue.waiting.length > 0 && queue.size + size > MAX_WAITING.little;
            const isFlood = queue.size + size > (pending ? LARGEST : MAX_WAITING.size);
            if (isFlood || (isMuch && waiting + size > MAX_WAITING.all)) {
                // Nobody would tell the client that what it was let send before has come to nothing.
                queue.full = true;
                queue.dropped ||= pending;
                return closeQuietly(socket, CLOSE.policyViolation, 'Too many frames');
            }
            queue.waiting.push(message);
            queue.size += size;
            waiting += size;
            // One event of the runtime stays with them all: each takes kilobytes for as long as it waits.
            if (!queue.work) await (queue.work = Promise.resolve().then(() => workOff(socket, queue)));
        },
        async drained(socket) {
            leave(socket);
            await queues.get(socket)?.work;
        },
        sendEvent(socket, event, data, ackId) {
            const { accountId, subscriptions, wire } = host.stateOf(socket) as Connection;
            // What concerns a tRPC socket as a whole concerns each of its subscriptions.
            const ids = ackId === undefined && subscriptions ? subscriptions.map(({ id }) => id) : [ackId];
            for (const id of ids) send(socket, CODECS[wire].event(event, data, Date.now(), id, accountId));
        },
        sendAck(socket, ackId, value) {
            send(socket, CODECS[wireOf(socket)].ack(ackId, value));
        },
        close(socket, code, reason) {
            queueOf(socket).dropped = true;
            closeQuietly(socket, code, reason);
        },
    };
    const wireOf = (socket: WebSocket) => host.stateOf(socket).wire;
    return host;
}

/** Sends to a socket what its wire has for it; one that is just closing gets nothing, and catches up when it is back. */
export function send(socket: WebSocket, frame: Outgoing): void {
    if (frame === null) return;
    if (typeof frame !== 'string') return closeQuietly(socket, frame.code, frame.reason);
    try {
        socket.send(frame);
    } catch {
        // Closing or gone.
    }
}

/**
 * Closes a socket or finishes the closing the client began. Codes 1005, 1006 and 1015 only ever report, and must not be
 * sent (RFC 6455, 7.4.1).
 */
export function closeQuietly(socket: WebSocket, code: number, reason = ''): void {
    try {
        socket.close(code === 1005 || code === 1006 || code === 1015 ? 1000 : code, reason);
    } catch {
        // It is closed already.
    }
}

function sizeOf(text: string): number {
    return text.length + FRAME_OVERHEAD;
}

function tooLarge(text: string): boolean {
    if (text.length * 3 <= MAX_FRAME_BYTES) return false;
    return text.length > MAX_FRAME_BYTES || Buffer.byteLength(text) > MAX_FRAME_BYTES;
}
