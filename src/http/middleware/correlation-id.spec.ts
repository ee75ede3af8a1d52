import { afterEach, describe, expect, it, vi } from 'vitest';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function idFor(sent: string | undefined, path = '/health') {
    const { headers, body } = await call(
        server,
        'GET',
        path,
        undefined,
        sent === undefined ? {} : { 'X-Request-Id': sent },
    );
    return { header: headers.get('X-Request-Id'), body };
}

describe('X-Request-Id', () => {
    it('is new for every request that brings none', async () => {
        const [a, b] = [await idFor(undefined), await idFor(undefined)];
        expect(a.header).toMatch(UUID);
        expect(b.header).toMatch(UUID);
        expect(a.header).not.toBe(b.header);
    });

    it.each(['a', 'Trace_42-b', 'x'.repeat(64)])('echoes %s', async (id) => {
        expect((await idFor(id)).header).toBe(id);
    });

    it.each(['', 'x'.repeat(65), 'a b', 'a.b', 'a,b', '<script>', '{"a":1}'])('replaces %j', async (id) => {
        expect((await idFor(id)).header).toMatch(UUID);
    });

    it.each(['/nowhere', '/v1/sessions', '/v1/auth/request/status'])(
        'is the one in the error body of %s',
        async (path) => {
            const { header, body } = await idFor('mine-1', path);
            expect(header).toBe('mine-1');
            expect(body.requestId).toBe('mine-1');
        },
    );
});

describe('log lines', () => {
    afterEach(() => {
        vi.restoreAllMocks();
    });

    it('carry the request id and an acceptable X-Correlation-Id', async () => {
        const lines = vi.spyOn(console, 'log').mockImplementation(() => undefined);
        const verbose = startServer({ LOG_LEVEL: 'info' });
        await call(verbose, 'GET', '/health', undefined, { 'X-Request-Id': 'r1', 'X-Correlation-Id': 'c1' });
        await call(verbose, 'GET', '/health', undefined, {
            'X-Request-Id': 'r2',
            'X-Correlation-Id': 'not acceptable',
        });
        const logged = lines.mock.calls.map(([line]) => JSON.parse(line as string) as Record<string, unknown>);
        expect(logged).toHaveLength(2);
        expect(logged[0]).toMatchObject({ requestId: 'r1', correlationId: 'c1' });
        expect(logged[1]).toMatchObject({ requestId: 'r2' });
        expect(logged[1]).not.toHaveProperty('correlationId');
    });
});
