import { beforeAll, describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();
let account: TestAccount;
let sid: string;
const input = (value: unknown) =>
    `input=${encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value))}`;
const json = { 'Content-Type': 'application/json' };

beforeAll(async () => {
    account = await createAccount(server);
    sid = await createSession(account);
});

/** The error of an answer, checked to have the one shape of this door. */
async function refusal(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    server.db.rowsWritten = 0;
    const answer = await account.call(method, `/trpc/${path}`, body, headers);
    expect(answer.headers.get('Content-Type')).toMatch(/^application\/json/);
    const { error } = Array.isArray(answer.body) ? answer.body[0] : answer.body;
    expect(Object.keys(error).sort()).toEqual(['code', 'data', 'message']);
    const { code, httpStatus, error: word, requestId, path: _path, issues, ...rest } = error.data;
    expect(rest).toEqual({});
    expect(code).toMatch(/^[A-Z_]+$/);
    expect(word).toMatch(/^[A-Z_]+$/);
    expect(requestId).toBe(answer.headers.get('X-Request-Id'));
    for (const issue of issues ?? []) expect(Object.keys(issue).sort()).toEqual(['message', 'path']);
    expect(JSON.stringify(answer.body)).not.toMatch(/stack|\.ts:|node_modules|ZodError|SQLITE/);
    expect(server.db.rowsWritten).toBe(0);
    return {
        status: answer.status,
        httpStatus,
        word,
        message: error.message as string,
        issues,
        headers: answer.headers,
    };
}

describe('input', () => {
    it('in a query and in a body reaches the procedure', async () => {
        const got = await account.call('GET', `/trpc/sessions.get?${input({ id: sid })}`);
        expect(got.status).toBe(200);
        expect(got.body.result.data.session.id).toBe(sid);
        const made = await account.call('POST', '/trpc/sessions.create', { tag: 'trpc', metadata: 'bQ==' });
        expect(made.body.result.data.session.metadata).toBe('bQ==');
    });

    it('may be left out where nothing of it is required, alone and in a batch', async () => {
        const one = await account.call('GET', '/trpc/sessions.list');
        expect(one.body.result.data.sessions.map(({ id }: { id: string }) => id)).toContain(sid);
        const posted = await account.call('POST', '/trpc/realtime.ticket');
        expect(posted.body.result.data.ticket).toEqual(expect.any(String));
        const many = await account.call('GET', '/trpc/sessions.list,kv.list?batch=1');
        expect(many.body.map((answer: { result: unknown }) => Object.keys(answer.result as object))).toEqual([
            ['data'],
            ['data'],
        ]);
        const refused = await refusal('POST', 'sessions.create');
        expect(refused).toMatchObject({ status: 400, word: 'VALIDATION_FAILED' });
        expect(refused.issues.map(({ path }: { path: string }) => path)).toEqual(['tag', 'metadata']);
    });

    it.each(['{', '[', '"', '{"id":}', 'undefined', '[['.repeat(50_000)])('%.20s is malformed', async (text) => {
        expect(await refusal('GET', `sessions.get?${input(text)}`)).toMatchObject({
            status: 400,
            word: 'VALIDATION_FAILED',
        });
        expect(await refusal('POST', 'sessions.create', text)).toMatchObject({
            status: 400,
            word: 'VALIDATION_FAILED',
        });
    });

    it.each(['null', '1', '"x"', '[]', 'true', `${'['.repeat(100_000)}${']'.repeat(100_000)}`])(
        '%.20s is no input of a procedure',
        async (text) => {
            expect(await refusal('POST', 'sessions.create', text)).toMatchObject({
                status: 400,
                word: 'VALIDATION_FAILED',
                message: 'Invalid input',
                issues: [{ path: '', message: expect.any(String) as string }],
            });
        },
    );

    it('names what is wrong with it', async () => {
        const { status, issues } = await refusal('POST', 'sessions.create', {
            tag: '',
            metadata: 1,
            agentState: 'a\0b',
        });
        expect(status).toBe(400);
        expect(issues.map(({ path }: { path: string }) => path)).toEqual(['tag', 'metadata', 'agentState']);
    });

    it('is not text where a number is declared', async () => {
        const { issues } = await refusal('GET', `sessions.page?${input({ limit: '5' })}`);
        expect(issues[0].path).toBe('limit');
    });

    it.each(['__proto__', 'constructor', 'prototype'])('with a key %s changes nothing but itself', async (key) => {
        const body = `{"tag":"t-${key}","metadata":"bQ==","${key}":{"admin":true}}`;
        expect((await account.call('POST', '/trpc/sessions.create', body)).status).toBe(200);
        expect(({} as { admin?: boolean }).admin).toBeUndefined();
    });
});

describe('body', () => {
    it('past the limit is 413, by its length and in chunks, with nothing read further', async () => {
        expect(await refusal('POST', 'sessions.create', 'x'.repeat(10 * 1024 * 1024 + 1))).toMatchObject({
            status: 413,
            httpStatus: 413,
            word: 'PAYLOAD_TOO_LARGE',
        });
        let chunks = 0;
        const stream = new ReadableStream<Uint8Array>(
            { pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024).fill((chunks += 1))) },
            { highWaterMark: 0 },
        );
        const init = { method: 'POST', body: stream, headers: { ...json, Authorization: `Bearer ${account.token}` } };
        const response = await server.fetch('/trpc/sessions.create', init);
        expect(response.status).toBe(413);
        expect(await response.json()).toMatchObject({
            error: { data: { error: 'PAYLOAD_TOO_LARGE', httpStatus: 413 } },
        });
        expect(chunks).toBe(11);
    });

    it.each(['text/plain', 'multipart/form-data; boundary=x', 'multipart/form-data', 'application/octet-stream', 'x'])(
        'as %s is 415',
        async (type) => {
            expect(await refusal('POST', 'sessions.create', '{"tag":"a"}', { 'Content-Type': type })).toMatchObject({
                status: 415,
                word: 'UNSUPPORTED_MEDIA_TYPE',
            });
        },
    );

    it('may come without a content type', async () => {
        const body = new TextEncoder().encode('{"tag":"untyped","metadata":"bQ=="}');
        const init = { method: 'POST', body, headers: { Authorization: `Bearer ${account.token}` } };
        expect((await server.fetch('/trpc/sessions.create', init)).status).toBe(200);
    });

    it('must be UTF-8', async () => {
        const headers = { ...json, Authorization: `Bearer ${account.token}` };
        const response = await server.fetch('/trpc/sessions.create', {
            method: 'POST',
            body: new Uint8Array([0xff]),
            headers,
        });
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({ error: { message: 'Body must be UTF-8 text' } });
    });
});

describe('a call that makes no sense', () => {
    it.each([
        ['GET', 'no.such', 404, 'NOT_FOUND'],
        ['GET', '', 404, 'NOT_FOUND'],
        ['GET', 'sessions', 404, 'NOT_FOUND'],
        ['GET', 'sessions.list.more', 404, 'NOT_FOUND'],
        ['GET', '__proto__', 404, 'NOT_FOUND'],
        ['GET', 'constructor', 404, 'NOT_FOUND'],
        ['GET', 'sessions.__proto__', 404, 'NOT_FOUND'],
        ['GET', 'sessions.toString', 404, 'NOT_FOUND'],
        ['GET', 'sessions%2Elist%00', 404, 'NOT_FOUND'],
        ['GET', '%zz', 400, 'VALIDATION_FAILED'],
        ['GET', 'x'.repeat(20_000), 404, 'NOT_FOUND'],
        ['GET', 'sessions.create', 405, 'METHOD_NOT_ALLOWED'],
        ['POST', 'sessions.list', 405, 'METHOD_NOT_ALLOWED'],
        ['PUT', 'sessions.list', 405, 'METHOD_NOT_ALLOWED'],
        ['DELETE', 'sessions.delete', 405, 'METHOD_NOT_ALLOWED'],
        ['GET', 'sessions.list?connectionParams=%7B', 400, 'VALIDATION_FAILED'],
        ['GET', 'sessions.list,sessions.create?batch=1', 400, 'VALIDATION_FAILED'],
    ])('%s %.30s is %i', async (method, path, status, word) => {
        expect(await refusal(method, path)).toMatchObject({ status, httpStatus: status, word });
    });

    it('HEAD and OPTIONS run no procedure', async () => {
        server.db.roundTrips = 0;
        expect((await account.call('HEAD', '/trpc/sessions.list')).status).toBe(204);
        expect((await account.call('OPTIONS', '/trpc/sessions.list')).status).toBe(204);
        expect(server.db.roundTrips).toBe(0);
    });
});

describe('a batch', () => {
    const batch = (size: number) =>
        `${Array.from({ length: size }, (_, i) => (i === 0 ? 'sessions.list' : 'sessions.get')).join(',')}?batch=1&${input({ 0: {} })}`;

    it('of 20 calls is served, each with its own outcome', async () => {
        const { status, body } = await account.call('GET', `/trpc/${batch(20)}`);
        expect(status).toBe(207);
        expect(body).toHaveLength(20);
        expect(body[0].result.data.sessions).toEqual(expect.any(Array));
        expect(body[1].error.data).toMatchObject({ code: 'BAD_REQUEST', httpStatus: 400 });
    });

    it('of 21 is refused whole, with no call made', async () => {
        server.db.roundTrips = 0;
        expect(await refusal('GET', batch(21))).toMatchObject({
            status: 400,
            message: 'Batch call exceeds maximum size',
        });
        expect(server.db.roundTrips).toBe(0);
    });

    it.each(['[]', '1', 'null', '{"0":', '"x"'])('with inputs %s is refused', async (text) => {
        expect((await refusal('GET', `sessions.get?batch=1&${input(text)}`)).status).toBe(400);
    });
});

describe('authorization', () => {
    it('is asked for before the input is read', async () => {
        const response = await server.fetch('/trpc/sessions.create', { method: 'POST', headers: json, body: '{' });
        expect(response.status).toBe(401);
        expect(await response.json()).toMatchObject({
            error: { message: 'Unauthorized', data: { code: 'UNAUTHORIZED', error: 'UNAUTHORIZED' } },
        });
    });

    it('a used up rate limit is 429 with the time to wait', async () => {
        const limited = startServer({ AUTH_LIMITER: { limit: async () => ({ success: false }) } });
        const response = await limited.fetch('/trpc/auth.challenge', { method: 'POST', headers: json, body: '{}' });
        expect(response.status).toBe(429);
        expect(response.headers.get('Retry-After')).toBe('60');
        expect(await response.json()).toMatchObject({
            error: { data: { code: 'TOO_MANY_REQUESTS', error: 'RATE_LIMITED' } },
        });
    });
});
