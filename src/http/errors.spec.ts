import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { call, createAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();

describe('a path that does not exist', () => {
    it.each([
        ['GET', '/nowhere'],
        ['POST', '/v1/nowhere'],
        ['GET', '/v1/sessions/'],
        ['GET', '//v1/sessions'],
        ['GET', '/V1/sessions'],
        ['PATCH', '/v1/sessions'],
        ['PROPFIND', '/v1/sessions'],
        ['GET', '/v1/sessions/a/b/c'],
        ['GET', '/__proto__'],
        ['GET', '/%'],
        ['GET', '/%00'],
        ['GET', '/..%2f..%2fetc%2fpasswd'],
        ['GET', `/${'x'.repeat(10_000)}`],
    ])('%s %.40s is 404 for everybody', async (method, path) => {
        const account = await createAccount(server);
        server.db.roundTrips = 0;
        const answers = [
            await call(server, method, path),
            await call(server, method, path, undefined, { Authorization: 'Bearer nonsense' }),
            await account.call(method, path),
        ];
        for (const { status, headers, body } of answers) {
            expect(status).toBe(404);
            expect(body).toEqual({ error: 'Not found', code: 'NOT_FOUND', requestId: headers.get('X-Request-Id') });
        }
        expect(server.db.roundTrips).toBe(0);
    });
});

describe('authorization', () => {
    it.each([
        undefined,
        '',
        'Bearer',
        'Bearer ',
        'Bearer nonsense',
        'Bearer a.b.c',
        'Bearer a b',
        'Basic dXNlcjpwYXNz',
        `Bearer ${'x'.repeat(10_000)}`,
        'bearer\tx',
    ])('%.30s is 401, with nothing asked of the database', async (Authorization) => {
        server.db.roundTrips = 0;
        const headers: Record<string, string> = Authorization === undefined ? {} : { Authorization };
        const { status, headers: answered, body } = await call(server, 'GET', '/v1/sessions', undefined, headers);
        expect(status).toBe(401);
        expect(body).toEqual({ error: 'Unauthorized', code: 'UNAUTHORIZED', requestId: answered.get('X-Request-Id') });
        expect(server.db.roundTrips).toBe(0);
    });

    it('comes before the input: nobody learns from it what it should be', async () => {
        for (const body of ['{"tag":', '[]', { tag: 1 }]) {
            expect((await call(server, 'POST', '/v1/sessions', body)).status).toBe(401);
        }
    });

    it('takes the scheme without case and spaces around the token', async () => {
        const { token } = await createAccount(server);
        for (const Authorization of [`bearer ${token}`, `BEARER   ${token}  `]) {
            expect((await call(server, 'GET', '/v1/sessions', undefined, { Authorization })).status).toBe(200);
        }
    });

    it('is not taken from the query', async () => {
        const { token } = await createAccount(server);
        expect((await call(server, 'GET', `/v1/sessions?token=${token}&Authorization=Bearer%20${token}`)).status).toBe(
            401,
        );
    });
});

describe('a used up rate limit', () => {
    const limited = startServer({ AUTH_LIMITER: { limit: async () => ({ success: false }) } });

    it.each([
        ['POST', '/v1/auth'],
        ['POST', '/v1/auth/challenge'],
        ['POST', '/v1/auth/request'],
        ['POST', '/v1/auth/account/request'],
        ['GET', '/v1/auth/request/status'],
    ])('is 429 for %s %s, with nothing written', async (method, path) => {
        const { status, headers, body } = await call(limited, method, path);
        expect(status).toBe(429);
        expect(headers.get('Retry-After')).toBe('60');
        expect(body).toEqual({
            error: 'Too many requests, try again in a minute',
            code: 'RATE_LIMITED',
            requestId: headers.get('X-Request-Id'),
        });
        expect(limited.db.roundTrips).toBe(0);
    });

    it('is counted by the address that Cloudflare names', async () => {
        const keys: string[] = [];
        const counting = startServer({
            AUTH_LIMITER: { limit: async ({ key }: { key: string }) => (keys.push(key), { success: true }) },
        });
        const body = { publicKey: '' };
        await call(counting, 'POST', '/v1/auth/challenge', body, { 'CF-Connecting-IP': '192.0.2.7' });
        await call(counting, 'POST', '/v1/auth/challenge', body, { 'X-Forwarded-For': '192.0.2.8' });
        expect(keys).toEqual(['192.0.2.7', 'unknown']);
    });
});

describe('failures', () => {
    let logged: string[];
    beforeEach(() => {
        logged = [];
        vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line));
    });
    afterEach(() => {
        vi.restoreAllMocks();
    });

    it('of the database are 503 on both doors, to be tried again', async () => {
        const failing = startServer();
        const account = await createAccount(failing);
        await account.call('GET', '/v1/sessions');

        failing.db.failNext('before');
        const rest = await account.call('GET', '/v1/sessions');
        expect(rest.status).toBe(503);
        expect(rest.headers.get('Retry-After')).toBe('1');
        expect(rest.body).toEqual({
            error: 'Database unavailable, try again',
            code: 'SERVICE_UNAVAILABLE',
            requestId: rest.headers.get('X-Request-Id'),
        });

        failing.db.failNext('before');
        const trpc = await account.call('GET', '/trpc/sessions.list?input={}');
        expect(trpc.status).toBe(503);
        expect(trpc.headers.get('Retry-After')).toBe('1');
        expect(trpc.body.error).toMatchObject({
            message: 'Database unavailable, try again',
            data: { code: 'SERVICE_UNAVAILABLE', httpStatus: 503, error: 'SERVICE_UNAVAILABLE' },
        });
    });

    it('of a statement are 500, tell nothing, and are logged without what was sent', async () => {
        const failing = startServer();
        const account = await createAccount(failing);
        await account.call('GET', '/v1/sessions');
        const secret = 'c2VjcmV0LWNpcGhlcnRleHQ=';

        failing.db.failNext('before', 'D1_ERROR: no such column: tag: SQLITE_ERROR');
        const rest = await account.call('POST', '/v1/sessions', { tag: 'a', metadata: secret });
        expect(rest.status).toBe(500);
        expect(rest.body).toEqual({
            error: 'Internal server error',
            code: 'INTERNAL',
            requestId: rest.headers.get('X-Request-Id'),
        });

        failing.db.failNext('before', 'D1_ERROR: no such column: tag: SQLITE_ERROR');
        const trpc = await account.call('POST', '/trpc/sessions.create', { tag: 'a', metadata: secret });
        expect(trpc.status).toBe(500);
        expect(trpc.body.error.message).toBe('Internal server error');
        expect(trpc.body.error.data).toEqual({
            code: 'INTERNAL_SERVER_ERROR',
            httpStatus: 500,
            path: 'sessions.create',
            error: 'INTERNAL',
            requestId: trpc.headers.get('X-Request-Id'),
        });

        expect(logged).toHaveLength(2);
        for (const line of logged) {
            expect(line).toContain('no such column');
            expect(line).not.toContain(secret);
            expect(line).not.toContain('select');
        }
        for (const { body } of [rest, trpc]) expect(JSON.stringify(body)).not.toMatch(/column|SQLITE|D1|\.ts|at /);
    });
});
