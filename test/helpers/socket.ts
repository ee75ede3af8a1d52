import { vi } from 'vitest';
import type { TestServer } from '@test/helpers/server';

/** A frame as the server sent it. */
export interface Frame {
    event: string;
    // Tests say themselves what they expect of data.
    // oxlint-disable-next-line typescript/no-explicit-any
    data: any;
    ackId?: string | number;
    // oxlint-disable-next-line typescript/no-explicit-any
    ack?: any;
}

/** A native client: every frame it got, in order. */
export interface TestSocket {
    frames: Frame[];
    /** Set once the socket closed. */
    closed?: { code: number; reason: string };
    send(event: string, data?: unknown, ackId?: string | number): void;
    sendText(text: string): void;
    /** Sends an event and waits for its acknowledgement. */
    // oxlint-disable-next-line typescript/no-explicit-any
    request(event: string, data?: unknown): Promise<any>;
    /** Waits for a frame that fits; earlier ones count. */
    next(fits: (frame: Frame) => boolean): Promise<Frame>;
    /** Updates in the order they came. */
    // oxlint-disable-next-line typescript/no-explicit-any
    updates(): any[];
    // oxlint-disable-next-line typescript/no-explicit-any
    ephemerals(): any[];
    close(code?: number): void;
    untilClosed(): Promise<{ code: number; reason: string }>;
}

/** Opens a native WebSocket on `path` and waits for `connected` unless told otherwise. */
export async function openSocket(
    server: TestServer,
    { path = '/v1/updates', query = {}, headers = {}, greet = true }: Partial<SocketOptions> = {},
): Promise<TestSocket> {
    const search = new URLSearchParams(query).toString();
    const response = await server.fetch(`${path}${search && `?${search}`}`, { headers: { Upgrade: 'websocket', ...headers } });
    const raw = response.webSocket;
    if (!raw) throw new Error(`No WebSocket: ${response.status} ${await response.text()}`);
    const socket = wrap(raw);
    if (greet) await socket.next(({ event }) => event === 'connected');
    return socket;
}

interface SocketOptions {
    path: string;
    query: Record<string, string>;
    headers: Record<string, string>;
    greet: boolean;
}

function wrap(raw: WebSocket): TestSocket {
    let asked = 0;
    const socket: TestSocket = {
        frames: [],
        send: (event, data, ackId) => raw.send(JSON.stringify({ event, data, ackId })),
        sendText: (text) => raw.send(text),
        async request(event, data) {
            const ackId = `ack-${(asked += 1)}`;
            socket.send(event, data, ackId);
            return (await socket.next((frame) => frame.event === 'ack' && frame.ackId === ackId)).ack;
        },
        next: (fits) =>
            vi.waitFor(
                () => {
                    const frame = socket.frames.find(fits);
                    if (!frame) throw new Error(`Not among ${JSON.stringify(socket).slice(0, 2000)}`);
                    return frame;
                },
                { timeout: 5_000, interval: 5 },
            ),
        updates: () => socket.frames.filter(({ event }) => event === 'update').map(({ data }) => data),
        ephemerals: () => socket.frames.filter(({ event }) => event === 'ephemeral').map(({ data }) => data),
        close: (code = 1000) => raw.close(code),
        untilClosed: () => vi.waitUntil(() => socket.closed, { timeout: 8_000, interval: 10 }) as Promise<{ code: number; reason: string }>,
    };
    raw.addEventListener('message', ({ data }) => {
        socket.frames.push(JSON.parse(data as string) as Frame);
    });
    raw.addEventListener('close', ({ code, reason }) => {
        socket.closed = { code, reason };
    });
    raw.accept();
    return socket;
}
