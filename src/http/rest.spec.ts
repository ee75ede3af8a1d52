import { beforeAll, describe, expect, it } from 'vitest';
import { restRoutes } from '@/http/rest';
import { call, createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();
let account: TestAccount;
let sid: string;
const tag = () => crypto.randomUUID();

beforeAll(async () => {
    account = await createAccount(server);
    sid = await createSession(account);
});

describe('path parameters', () => {
    it('are decoded once', async () => {
        // No session has such an id: 404 instead of 400 says that it was taken for one.
        for (const id of ['a%2Fb', 'a%252Fb', '%25', 'a%20b', '%E2%82%AC', 'x'.repeat(128)]) {
            const { status, body } = await account.call('GET', `/v1/sessions/${id}`);
            expect([id, status, body.error]).toEqual([id, 404, 'Session not found']);
        }
        expect(
            (await account.call('GET', `/v1/sessions/%${sid.charCodeAt(0).toString(16)}${sid.slice(1)}`)).status,
        ).toBe(200);
    });

    it.each(['%zz', '%', '%E0%A4%A', '%ED%A0%80', '%C0%AF', '..%2F..'])('%s is not found', async (id) => {
        expect((await account.call('GET', `/v1/sessions/${id}`)).status).toBe(404);
    });

    it.each([
        ['NUL', '%00'],
        ['NUL within', 'a%00b'],
        ['129 bytes', 'x'.repeat(129)],
        ['100,000 bytes', 'x'.repeat(100_000)],
        ['129 bytes in 43 characters', '%E2%82%AC'.repeat(43)],
    ])('%s is 400', async (_, id) => {
        const { status, body } = await account.call('GET', `/v1/sessions/${id}`);
        expect(status).toBe(400);
        expect(body.issues[0].path).toBe('id');
    });

    it('cannot be overridden by body or query', async () => {
        const other = await createSession(account);
        const put = { id: other, metadata: 'bmV3', expectedVersion: 1 };
        expect((await account.call('PUT', `/v1/sessions/${sid}/metadata?id=${other}`, put)).body.result).toBe(
            'success',
        );
        expect((await account.call('GET', `/v1/sessions/${other}?id=${sid}`)).body.session).toMatchObject({
            id: other,
            metadata: 'bWV0YQ==',
        });
    });
});

describe('query', () => {
    it('is coerced by the declared type', async () => {
        expect((await account.call('GET', '/v2/sessions?limit=1')).body.sessions).toHaveLength(1);
    });

    it.each([
        'limit=0',
        'limit=201',
        'limit=-1',
        'limit=1.5',
        'limit=1e1',
        'limit=',
        'limit=abc',
        'limit=9007199254740993',
        'limit=1&limit=2',
        'cursor=a&cursor=b',
    ])('%s is 400', async (query) => {
        const { status, body } = await account.call('GET', `/v2/sessions?${query}`);
        expect([status, body.code, body.issues[0].path]).toEqual([400, 'VALIDATION_FAILED', query.split('=')[0]]);
    });

    it.each(['unknown=1', 'unknown=1&unknown=2', 'limit[]=1', '__proto__=1', '%zz=1', '', '&&', '='])(
        'drops what it does not know: ?%s',
        async (query) => {
            expect((await account.call('GET', `/v2/sessions?${query}`)).status).toBe(200);
        },
    );

    it('counts for nothing where a body is', async () => {
        const { status } = await account.call('POST', `/v1/sessions?tag=${tag()}&metadata=bQ==`, {});
        expect(status).toBe(400);
    });

    it('tells false from true', async () => {
        const id = await createSession(account);
        await account.call('DELETE', `/v1/sessions/${id}?hard=false`);
        expect((await account.call('GET', `/v1/sessions/${id}`)).status).toBe(200);
        await account.call('DELETE', `/v1/sessions/${id}?hard=true`);
        expect((await account.call('GET', `/v1/sessions/${id}`)).status).toBe(404);
        expect((await account.call('DELETE', `/v1/sessions/${sid}?hard=maybe`)).status).toBe(400);
    });
});

describe('body', () => {
    it('loses fields that nobody knows', async () => {
        const body = { tag: tag(), metadata: 'bQ==', id: 'mine', seq: 99, active: false, constructor: 1 };
        const { status, body: answer } = await account.call('POST', '/v1/sessions', body);
        expect(status).toBe(200);
        expect(answer.session).toMatchObject({ seq: 0, active: true, metadata: 'bQ==' });
        expect(answer.session.id).not.toBe('mine');
    });

    it('may say null for what is optional', async () => {
        const body = { tag: tag(), metadata: 'bQ==', agentState: null, dataEncryptionKey: null };
        expect((await account.call('POST', '/v1/sessions', body)).status).toBe(200);
        expect((await account.call('POST', `/v1/sessions/${sid}/archive`, { reason: null })).status).toBe(200);
        expect(
            (await account.call('POST', `/v1/sessions/${sid}/messages`, { localId: null, content: null })).status,
        ).toBe(200);
    });

    it('may not say null for what is required', async () => {
        expect((await account.call('POST', '/v1/sessions', { tag: null, metadata: 'bQ==' })).status).toBe(400);
    });

    it.each(['1', true, null, [1], { value: 1 }, 1.5, -1])(
        '%j is no version: only a query is text',
        async (expectedVersion) => {
            const { status, body } = await account.call('PUT', `/v1/sessions/${sid}/metadata`, {
                metadata: 'bQ==',
                expectedVersion,
            });
            expect(status).toBe(400);
            expect(body.issues).toEqual([{ path: 'expectedVersion', message: expect.any(String) as string }]);
        },
    );

    it('may be missing, with and without a content type', async () => {
        const withType = { 'Content-Type': 'application/json' };
        for (const headers of [{}, withType]) {
            for (const body of [undefined, '']) {
                // `call` sets a content type for every body: the empty one here has its own.
                const init = {
                    method: 'POST',
                    body,
                    headers: { Authorization: `Bearer ${account.token}`, ...headers },
                };
                expect((await server.fetch('/v1/auth/refresh', init)).status).toBe(200);
            }
            const gone = await account.call(
                'DELETE',
                `/v1/sessions/${await createSession(account)}`,
                undefined,
                headers,
            );
            expect(gone.status).toBe(200);
        }
    });

    it('past the limit is 413, and not of JSON 415, in the one error shape', async () => {
        const large = await account.call('POST', '/v1/sessions', 'x'.repeat(10 * 1024 * 1024 + 1));
        expect(large.status).toBe(413);
        expect(Object.keys(large.body)).toEqual(['error', 'code', 'requestId']);
        expect(large.body.code).toBe('PAYLOAD_TOO_LARGE');
        const text = await account.call('POST', '/v1/sessions', 'x', { 'Content-Type': 'text/plain' });
        expect(text.status).toBe(415);
        expect(text.body.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    });

    it('is looked at only once the caller is known', async () => {
        for (const body of ['{"tag":', '[]', 'x'.repeat(11 * 1024 * 1024)]) {
            expect((await call(server, 'POST', '/v1/sessions', body)).status).toBe(401);
        }
    });
});

describe('methods', () => {
    it('HEAD is GET without the body, and as closed', async () => {
        const { status, headers, body } = await account.call('HEAD', `/v1/sessions/${sid}`);
        expect(status).toBe(200);
        expect(headers.get('Content-Type')).toMatch(/^application\/json/);
        expect(body).toBe('');
        expect((await account.call('HEAD', '/v1/sessions/none')).status).toBe(404);
        expect((await call(server, 'HEAD', '/v1/sessions')).status).toBe(401);
    });

    it('OPTIONS asks for no token and touches nothing', async () => {
        server.db.roundTrips = 0;
        expect((await call(server, 'OPTIONS', `/v1/sessions/${sid}`)).status).toBe(204);
        expect(server.db.roundTrips).toBe(0);
    });
});

describe('stock clients', () => {
    it.each(['android/1.0', '', '0'])(
        'X-Happy-Client: %j deletes for good, whatever the caller says',
        async (client) => {
            const id = await createSession(account);
            const headers = { 'X-Happy-Client': client };
            expect((await account.call('DELETE', `/v1/sessions/${id}?hard=false`, undefined, headers)).body).toEqual({
                success: true,
            });
            expect((await account.call('GET', `/v1/sessions/${id}`)).status).toBe(404);
        },
    );
});

describe('restRoutes', () => {
    it('puts literal paths before the patterns that match them', () => {
        const patterns = new Map<string, RegExp[]>();
        for (const { method, path } of restRoutes()) {
            const earlier = patterns.get(method) ?? [];
            expect(earlier.filter((pattern) => pattern.test(path)).map(String)).toEqual([]);
            if (path.includes(':')) earlier.push(new RegExp(`^${path.replaceAll(/:\w+/g, '[^/:]+')}$`));
            patterns.set(method, earlier);
        }
    });
});
