import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLoginKeys, loginBody } from '@test/helpers/account';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

const MB = 1_000_000;
const MAX_GROWTH = 64 * 1024 * 1024;
const BOUNDARY = '----file-memory';

/** An answer with its body as text. */
interface TextAnswer {
    status: number;
    body: string;
}

let server: WorkerdServer;
let token: string;

beforeAll(async () => {
    server = await startWorkerd();
    const response = await fetch(`${server.url}v1/auth`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(await loginBody(await createLoginKeys())),
    });
    ({ token } = (await response.json()) as { token: string });
});
afterAll(() => server.stop());

/** A request on a connection of its own: one that was kept may be closed by the server just then. */
function open(method: string, path: string, headers: Record<string, string>) {
    return request(`${server.url}${path}`, {
        method,
        agent: false,
        headers: { Authorization: `Bearer ${token}`, ...headers },
    });
}

/** Sends text of `size` bytes between two texts, no faster than it is taken; fetch would hold it. */
function sendText(
    method: string,
    path: string,
    headers: Record<string, string>,
    size: number,
    before = '',
    after = '',
) {
    return new Promise<TextAnswer>((resolve, reject) => {
        const outgoing = open(method, path, headers);
        outgoing.on('error', reject);
        outgoing.on('response', (incoming) => {
            let body = '';
            incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
            incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
        });
        outgoing.write(before);
        let left = size;
        const chunk = Buffer.alloc(64 * 1024, 'a');
        const write = (): void => {
            while (left > 0) {
                const piece = chunk.subarray(0, left);
                left -= piece.length;
                if (!outgoing.write(piece)) return void outgoing.once('drain', write);
            }
            outgoing.end(after);
        };
        write();
    });
}

const sendRaw = (size: number, query = '') =>
    sendText('PUT', `v1/uploads/raw${query}`, { 'Content-Length': String(size) }, size);

function sendForm(size: number, path = 'v1/uploads') {
    const before = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n`;
    const after = `\r\n--${BOUNDARY}--\r\n`;
    const headers = {
        'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`,
        'Content-Length': String(before.length + size + after.length),
    };
    return sendText('POST', path, headers, size, before, after);
}

/** Downloads a file and throws its bytes away; how many there were. */
function download(id: string): Promise<number> {
    return new Promise((resolve, reject) => {
        const outgoing = open('GET', `v1/uploads/${id}/download`, {}).on('error', reject);
        outgoing.on('response', (incoming) => {
            let size = 0;
            incoming.on('data', (chunk: Buffer) => (size += chunk.length));
            incoming.on('end', () => resolve(size));
        });
        outgoing.end();
    });
}

/** The most memory the server has at any moment of `run`, in bytes. */
async function peakOf(run: () => Promise<unknown>): Promise<number> {
    let peak = 0;
    const look = () => (peak = Math.max(peak, server.residentBytes()));
    const timer = setInterval(look, 5);
    try {
        await run();
    } finally {
        clearInterval(timer);
    }
    look();
    return peak;
}

async function upAndDown(send: () => Promise<TextAnswer>, size: number): Promise<void> {
    const { status, body } = await send();
    expect([status, body]).toEqual([200, expect.stringContaining(`"size":${size}`)]);
    expect(await download((JSON.parse(body) as { file: { id: string } }).file.id)).toBe(size);
}

// Without /proc nobody tells how much memory another process has.
describe.skipIf(process.platform !== 'linux')(
    'the memory of a server that takes and gives large files (Linux only)',
    () => {
        it('stays within 64 MiB of what it is after a file of 1 MB by each door', async () => {
            const small = await peakOf(async () => {
                await upAndDown(() => sendRaw(MB), MB);
                await upAndDown(() => sendForm(MB), MB);
            });
            const raw = await peakOf(() => upAndDown(() => sendRaw(100 * MB), 100 * MB));
            const form = await peakOf(() => upAndDown(() => sendForm(30 * MB), 30 * MB));
            expect(raw - small, 'raw door, 100 MB').toBeLessThan(MAX_GROWTH);
            expect(form - small, 'form, 30 MB').toBeLessThan(MAX_GROWTH);
        });
    },
);

describe('a large file that is refused', () => {
    it.each([
        ['for its size', 413, 'PAYLOAD_TOO_LARGE', () => sendRaw(60 * MB, '?category=documents')],
        ['for its type', 400, 'VALIDATION_FAILED', () => sendForm(20 * MB, 'v1/uploads/avatar')],
    ] as const)('%s: its sender gets to read so', async (_, status, code, send) => {
        const answer = await send();
        expect([answer.status, JSON.parse(answer.body)]).toEqual([status, expect.objectContaining({ code })]);
    });
});
