import type { TestServer } from '@test/helpers/server';
import { expect } from 'vitest';

/** A stock client at the level of its wire: every text that came, in order. */
export interface StockFrames {
    texts: string[];
    closed?: { code: number; reason: string };
    send(text: string | ArrayBuffer): void;
    /** Sends an event and waits for its acknowledgement. */
    // Tests say themselves what they expect of data.
    // oxlint-disable-next-line typescript/no-explicit-any
    request(event: string, data?: unknown): Promise<any>;
    /** The arguments of every event of a name so far. */
    // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
    all(event: string): any[][];
    /** Waits for a text that begins so; earlier ones count. */
    next(beginning: string): Promise<string>;
    untilClosed(): Promise<{ code: number; reason: string }>;
}

const ENGINE_PATH = '/v1/updates/?EIO=4&transport=websocket';

/** Opens a stock client's socket, up to the Engine.IO greeting. */
export async function openFrames(server: TestServer, headers: Record<string, string> = {}): Promise<StockFrames> {
    const response = await server.fetch(ENGINE_PATH, { headers: { Upgrade: 'websocket', ...headers } });
    const raw = response.webSocket;
    if (!raw) throw new Error(`No WebSocket: ${response.status} ${await response.text()}`);
    const frames = wrap(raw);
    await frames.next('0{');
    return frames;
}

/** Opens it and authenticates. */
export async function connectFrames(
    server: TestServer,
    auth: object,
    headers?: Record<string, string>,
): Promise<StockFrames> {
    const frames = await openFrames(server, headers);
    frames.send(`40${JSON.stringify(auth)}`);
    await frames.next('40');
    return frames;
}

function wrap(raw: WebSocket): StockFrames {
    let asked = 0;
    const frames: StockFrames = {
        texts: [],
        send: (text) => raw.send(text),
        async request(event, data) {
            const id = (asked += 1);
            raw.send(`42${id}${JSON.stringify([event, data])}`);
            const text = await frames.next(`43${id}[`);
            return JSON.parse(text.slice(`43${id}`.length))[0];
        },
        all: (event) =>
            frames.texts
                .filter((text) => /^42\d*\["/.test(text))
                .map((text) => JSON.parse(text.replace(/^42\d*/, '')))
                .filter(([name]) => name === event)
                .map(([, ...args]) => args),
        next: async (beginning) => {
            const find = () => frames.texts.find((text) => text.startsWith(beginning));
            await expect
                .poll(find, { interval: 5, message: `${beginning} among ${frames.texts.join('\n')}` })
                .toBeDefined();
            return find() as string;
        },
        async untilClosed() {
            await expect.poll(() => frames.closed, { interval: 5 }).toBeDefined();
            return frames.closed as { code: number; reason: string };
        },
    };
    raw.addEventListener('message', ({ data }) => void frames.texts.push(data as string));
    raw.addEventListener('close', ({ code, reason }) => {
        frames.closed = { code, reason };
    });
    raw.accept();
    return frames;
}
