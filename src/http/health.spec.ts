import { describe, expect, it } from 'vitest';
import { env } from 'cloudflare:workers';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { version } from '../../package.json';

const server = startServer();
const now = expect.any(Number) as number;

describe('GET /', () => {
    it('welcomes in JSON', async () => {
        const { status, body } = await call(server, 'GET', '/');
        expect(status).toBe(200);
        expect(body).toEqual({
            message: expect.stringContaining('Welcome to Happy Server!') as string,
            version,
            environment: 'development',
            timestamp: now,
        });
        expect(Math.abs(Date.now() - body.timestamp)).toBeLessThan(60_000);
    });

    it.each(['text/plain', 'text/plain, */*;q=0.1'])('welcomes in bare text those who accept %s', async (Accept) => {
        const { status, headers, body } = await call(server, 'GET', '/', undefined, { Accept });
        expect(status).toBe(200);
        expect(headers.get('Content-Type')).toMatch(/^text\/plain/);
        expect(body).toBe('Welcome to Happy Server!');
    });

    it.each(['*/*', 'application/json', 'text/html', 'application/json, text/plain, */*'])(
        'welcomes in JSON those who accept %s',
        async (Accept) => {
            const { headers } = await call(server, 'GET', '/', undefined, { Accept });
            expect(headers.get('Content-Type')).toMatch(/^application\/json/);
        },
    );
});

describe('GET /health', () => {
    it('needs no configuration and touches nothing', async () => {
        const nothing = Object.fromEntries(Object.keys(env).map((name) => [name, undefined]));
        const { status, body } = await call(startServer({ ...nothing, LOG_LEVEL: 'error' }), 'GET', '/health');
        expect(status).toBe(200);
        expect(body).toEqual({ status: 'healthy', timestamp: now, version });
        await call(server, 'GET', '/health');
        expect(server.db.roundTrips).toBe(0);
    });

    it('answers HEAD without a body', async () => {
        const { status, body } = await call(server, 'HEAD', '/health');
        expect(status).toBe(200);
        expect(body).toBe('');
    });
});

describe('GET /ready', () => {
    const passing = { environment: true, database: true, storage: true, durableObjects: true };
    const broken = () => {
        throw new Error('unreachable');
    };

    it('is 200 when every check passes', async () => {
        const { status, body } = await call(server, 'GET', '/ready');
        expect(status).toBe(200);
        expect(body).toEqual({ ready: true, checks: passing, timestamp: now });
    });

    it.each([
        ['DB', { environment: false, database: false }],
        ['UPLOADS', { environment: false, storage: false }],
        ['ACCOUNT_HUB', { environment: false, durableObjects: false }],
        ['HAPPY_MASTER_SECRET', { environment: false }],
        ['HAPPY_DERIVED_KEYS', { environment: false }],
    ] as const)('is 503 without %s, the other checks run all the same', async (name, failing) => {
        const { status, body } = await call(startServer({ [name]: undefined }), 'GET', '/ready');
        expect(status).toBe(503);
        expect(body).toEqual({ ready: false, checks: { ...passing, ...failing }, timestamp: now });
    });

    it.each([
        ['UPLOADS', { head: broken }, { storage: false }],
        ['ACCOUNT_HUB', { getByName: broken }, { durableObjects: false }],
        ['DB', { prepare: broken }, { database: false }],
    ])('is 503 when %s cannot be reached', async (name, binding, failing) => {
        const { status, body } = await call(startServer({ [name]: binding }), 'GET', '/ready');
        expect(status).toBe(503);
        expect(body.checks).toEqual({ ...passing, ...failing });
    });

    it('is 503 when the database fails while it answers', async () => {
        const failing = startServer();
        failing.db.failNext('before');
        const { status, body } = await call(failing, 'GET', '/ready');
        expect(status).toBe(503);
        expect(body.checks).toEqual({ ...passing, database: false });
    });

    it('tells no secret', async () => {
        const { body } = await call(startServer({ DB: undefined }), 'GET', '/ready');
        expect(JSON.stringify(body)).not.toContain(env.HAPPY_MASTER_SECRET);
    });
});
