import type { TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';

/** A frame as the server sent it. */
export interface Frame {
    event: string;
    type?: string;
    // Tests say themselves what they expect of data.
    // oxlint-disable-next-line typescript/no-explicit-any
    data: any;
    payload?: unknown;
    timestamp?: number;
    ackId?: string | number;
    // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
    ack?: any;
}

/** How a socket ended. */
export interface Closed {
    code: number;
    reason: string;
}

/** A native client: every frame it got, in order. */
export interface TestSocket {
    frames: Frame[];
    /** Set once the socket closed. */
    closed?: Closed;
    send(event: string, data?: unknown, ackId?: string | number): void;
    sendText(text: string | ArrayBuffer): void;
    /** Sends an event and waits for its acknowledgement. */
    // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
    request(event: string, data?: unknown): Promise<any>;
    /** Waits for a frame that fits; earlier ones count. */
    next(fits: (frame: Frame) => boolean, withinMs?: number): Promise<Frame>;
    /** The data of every frame of an event, in the order they came. */
    // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
    all(event: string): any[];
    // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
    updates(): any[];
    // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
    ephemerals(): any[];
    close(code?: number): void;
    untilClosed(withinMs?: number): Promise<Closed>;
}

/** How a socket is opened. */
export interface SocketOptions {
    path: string;
    query: Record<string, string>;
    headers: Record<string, string>;
    /** Waits for `connected`, which is so unless told otherwise. */
    greet: boolean;
}

/** Opens a native WebSocket on `path` and waits for `connected` unless told otherwise. */
export async function openSocket(
    server: TestServer,
    { path = '/v1/updates', query = {}, headers = {}, greet = true }: Partial<SocketOptions> = {},
): Promise<TestSocket> {
    const search = new URLSearchParams(query).toString();
    const response = await server.fetch(`${path}${search && `?${search}`}`, {
        headers: { Upgrade: 'websocket', ...headers },
    });
    const raw = response.webSocket;
    if (!raw) throw new Error(`No WebSocket: ${response.status} ${await response.text()}`);
    const socket = wrap(raw);
    if (greet) await socket.next(({ event }) => event === 'connected');
    return socket;
}

/** What a socket follows, and where it is hosted: by header in the account's hub, by message in a gateway. */
export interface Scope {
    clientType?: string;
    sessionId?: string;
    machineId?: string;
    lastSeq?: number;
    host?: 'hub' | 'gateway';
}

/** Opens a socket of an account, and waits until it is connected. */
export async function connect(
    server: TestServer,
    account: Pick<TestAccount, 'token'>,
    scope: Scope = {},
): Promise<TestSocket> {
    const { host = 'hub', ...handshake } = scope;
    if (host === 'gateway') {
        const socket = await openSocket(server, { greet: false });
        socket.send('auth', { token: account.token, ...handshake });
        await socket.next(({ event }) => event === 'connected');
        return socket;
    }
    const query = Object.entries(handshake).map(([name, value]) => [name, String(value)]);
    return openSocket(server, { headers: bearer(account), query: Object.fromEntries(query) });
}

/** The header that names an account. */
export function bearer({ token }: Pick<TestAccount, 'token'>): { Authorization: string } {
    return { Authorization: `Bearer ${token}` };
}

/**
 * Waits until the sockets have everything that was sent to their account before: a broadcast takes the same way, and
 * comes last.
 */
export async function settled(account: TestAccount, sockets: TestSocket[]): Promise<void> {
    const barrier = crypto.randomUUID();
    await account.call('POST', '/v1/websocket/broadcast', { message: { type: 'barrier', payload: barrier } });
    await Promise.all(
        sockets.map((socket) => socket.next(({ event, data }) => event === 'broadcast' && data.payload === barrier)),
    );
}

function wrap(raw: WebSocket): TestSocket {
    let asked = 0;
    const waiting = new Set<() => void>();
    const changed = () => {
        for (const look of waiting) look();
    };

    function until<T>(find: () => T | undefined, withinMs: number, what: string): Promise<T> {
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => {
                waiting.delete(look);
                const seen = socket.frames.slice(-20).map((frame) => JSON.stringify(frame).slice(0, 200));
                reject(
                    new Error(
                        `No ${what} within ${withinMs} ms; closed: ${JSON.stringify(socket.closed)}; frames:\n${seen.join('\n')}`,
                    ),
                );
            }, withinMs);
            const look = () => {
                const found = find();
                if (found === undefined) return;
                clearTimeout(timer);
                waiting.delete(look);
                resolve(found);
            };
            waiting.add(look);
            look();
        });
    }

    const socket: TestSocket = {
        frames: [],
        send: (event, data, ackId) => raw.send(JSON.stringify({ event, data, ackId })),
        sendText: (text) => raw.send(text),
        async request(event, data) {
            const ackId = `ack-${(asked += 1)}`;
            socket.send(event, data, ackId);
            const { ack } = await until(
                () => socket.frames.find((frame) => frame.event === 'ack' && frame.ackId === ackId),
                40_000,
                `acknowledgement of ${event}`,
            );
            return ack;
        },
        next: (fits, withinMs = 20_000) => until(() => socket.frames.find(fits), withinMs, 'such frame'),
        all: (name) => socket.frames.filter(({ event }) => event === name).map(({ data }) => data),
        updates: () => socket.all('update'),
        ephemerals: () => socket.all('ephemeral'),
        close: (code = 1000) => raw.close(code),
        untilClosed: (withinMs = 20_000) => until(() => socket.closed, withinMs, 'close'),
    };
    raw.addEventListener('message', ({ data }) => {
        socket.frames.push(JSON.parse(data as string) as Frame);
        changed();
    });
    raw.addEventListener('close', ({ code, reason }) => {
        socket.closed = { code, reason };
        changed();
    });
    raw.accept();
    return socket;
}
