import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { HonoEnv } from '@/http/hono-env';
import { MAX_DRAINED_BYTES, drain } from '@/http/middleware/drain';
import { createAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const MIB = 1024 * 1024;
const server = startServer();

/** Sends a body of so many MiB in chunks; tells the status, and how many MiB were taken. */
async function send(path: string, size: number, headers: Record<string, string> = {}) {
    let taken = 0;
    const body = new ReadableStream<Uint8Array>(
        {
            pull(controller) {
                if (taken === size) return controller.close();
                taken += 1;
                return controller.enqueue(new Uint8Array(MIB).fill(0x20));
            },
        },
        { highWaterMark: 0 },
    );
    const { status } = await server.fetch(path, { method: 'POST', body, headers });
    return { status, taken };
}

describe('a refused body', () => {
    it.each(['/v1/sessions', '/trpc/sessions.create', '/nowhere'])(
        'of %s is read to its end, so that the answer arrives',
        async (path) => {
            const { status, taken } = await send(path, 12);
            expect(status).toBe(path === '/nowhere' ? 404 : 401);
            expect(taken).toBe(12);
        },
    );

    it('is read no further than the bound', async () => {
        const { status, taken } = await send('/v1/sessions', 1000);
        expect(status).toBe(401);
        expect(taken).toBe(MAX_DRAINED_BYTES / MIB);
    });

    it('is given up when it stops coming', async () => {
        const app = new Hono<HonoEnv>().use(drain(10)).post('/', (c) => c.text('No', 403));
        const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
        const response = await app.fetch(new Request('https://happy.test/', { method: 'POST', body }));
        expect(response.status).toBe(403);
    });
});

describe('a body that was taken', () => {
    it('is as it was', async () => {
        const account = await createAccount(server);
        const { status } = await account.call('POST', '/v1/sessions', { tag: 'drain', metadata: 'x'.repeat(900_000) });
        expect(status).toBe(200);
        expect((await account.call('POST', '/v1/sessions', { tag: '' })).status).toBe(400);
    });
});
