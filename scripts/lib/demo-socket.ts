import { WebSocket } from 'ws';
import { CommandError } from './console.mjs';

/** A frame as the server sends it (contract of native WebSockets: `{event, data}`, acknowledgements `{event, ackId, ack}`). */
export interface Frame {
    event: string;
    data: Record<string, unknown>;
    ackId?: string | number;
    ack?: unknown;
}

/** A device's WebSocket, with every frame it got. */
export interface Socket {
    frames: Frame[];
    /** The updates among them, in the order they came. */
    updates(): { seq: number; body: Record<string, unknown> }[];
    send(frame: { event: string; data?: unknown; ackId?: string | number; ack?: unknown }): void;
    /** Sends an event and waits for its acknowledgement. */
    request<Ack>(event: string, data: unknown): Promise<Ack>;
    /** Waits for a frame that fits, one that has come already included. */
    next(what: string, fits: (frame: Frame) => boolean): Promise<Frame>;
    /** Ends the connection without a word, as when the network is gone. */
    drop(): Promise<void>;
    close(): Promise<void>;
}

const WAIT_MS = 30_000;

/**
 * Opens a native WebSocket and waits for `connected`: with a token in the header, a ticket in the query, or by saying
 * who it is in its first message.
 */
export async function openSocket(
    url: string,
    { token, query = {}, auth }: { token?: string; query?: Record<string, string>; auth?: object },
): Promise<Socket> {
    const address = `${url.replace(/^http/, 'ws')}/v1/updates?${new URLSearchParams(query).toString()}`;
    const raw = new WebSocket(address, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    const socket = wrap(raw);
    if (auth) raw.on('open', () => socket.send({ event: 'auth', data: auth }));
    await socket.next('connected', ({ event }) => event === 'connected');
    return socket;
}

function wrap(raw: WebSocket): Socket {
    const frames: Frame[] = [];
    const waiting = new Set<() => void>();
    let ended: string | undefined;
    let asked = 0;
    const changed = () => {
        for (const look of waiting) look();
    };
    raw.on('message', (data: Buffer) => {
        frames.push(JSON.parse(data.toString('utf8')) as Frame);
        changed();
    });
    raw.on('error', (error) => {
        ended ??= error.message;
        changed();
    });
    raw.on('close', (code, reason) => {
        ended ??= `closed with ${code} ${reason.toString()}`.trim();
        changed();
    });
    const gone = new Promise<void>((resolve) => {
        raw.on('close', () => resolve());
    });

    const socket: Socket = {
        frames,
        updates: () => frames.filter(({ event }) => event === 'update').map(({ data }) => data as never),
        send: (frame) => raw.send(JSON.stringify(frame)),
        async request<Ack>(event: string, data: unknown) {
            const ackId = (asked += 1);
            socket.send({ event, data, ackId });
            const { ack } = await socket.next(
                `the answer to ${event}`,
                (frame) => frame.event === 'ack' && frame.ackId === ackId,
            );
            return ack as Ack;
        },
        next: (what, fits) =>
            new Promise((resolve, reject) => {
                const settle = (run: () => void) => {
                    clearTimeout(timer);
                    waiting.delete(look);
                    run();
                };
                const look = () => {
                    const frame = frames.find(fits);
                    if (frame) settle(() => resolve(frame));
                    else if (ended !== undefined)
                        settle(() =>
                            reject(new CommandError(`The WebSocket ended before ${what} came.`, [String(ended)])),
                        );
                };
                const timer = setTimeout(
                    () => settle(() => reject(new CommandError(`${what} did not come within ${WAIT_MS / 1000} s.`))),
                    WAIT_MS,
                );
                waiting.add(look);
                look();
            }),
        async drop() {
            raw.terminate();
            await gone;
        },
        async close() {
            raw.close(1000);
            await gone;
        },
    };
    return socket;
}
