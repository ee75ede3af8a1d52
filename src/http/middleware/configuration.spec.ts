import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { env } from 'cloudflare:workers';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const PATHS = ['/', '/openapi.json', '/nowhere', '/v1/sessions', '/v1/auth', '/trpc/sessions.list'];
let logged: string[];

beforeEach(() => {
    logged = [];
    vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => {
    vi.restoreAllMocks();
});

describe('Configuration Error', () => {
    it.each(PATHS)('is what %s answers', async (path) => {
        const { status, body, headers } = await call(startServer({ HAPPY_DERIVED_KEYS: undefined }), 'GET', path);
        expect(status).toBe(500);
        expect(body).toEqual({
            error: 'Configuration Error',
            code: 'CONFIGURATION',
            requestId: headers.get('X-Request-Id'),
            missing: ['HAPPY_DERIVED_KEYS'],
            hint: expect.stringContaining('npm run dev') as string,
        });
    });

    it.each(['/health', '/ready'])('is not what %s answers', async (path) => {
        const { body } = await call(startServer({ HAPPY_DERIVED_KEYS: undefined }), 'GET', path);
        expect(body.code).toBeUndefined();
    });

    it('names everything that is missing at once', async () => {
        const nothing = Object.fromEntries(Object.keys(env).map((name) => [name, undefined]));
        const { status, body } = await call(startServer({ ...nothing, LOG_LEVEL: 'error' }), 'GET', '/');
        expect(status).toBe(500);
        expect(body.missing).toEqual(
            expect.arrayContaining([
                'DB',
                'UPLOADS',
                'ASSETS',
                'ACCOUNT_HUB',
                'AUTH_LIMITER',
                'HAPPY_MASTER_SECRET',
                'HAPPY_DERIVED_KEYS',
            ]),
        );
    });

    it.each(['DB', 'UPLOADS', 'ASSETS', 'ACCOUNT_HUB', 'AUTH_LIMITER'] as const)(
        'names the binding %s',
        async (name) => {
            const { status, body } = await call(startServer({ [name]: undefined }), 'GET', '/');
            expect(status).toBe(500);
            expect(body.missing).toEqual([name]);
        },
    );

    it('is told in the log, by name only', async () => {
        await call(startServer({ HAPPY_DERIVED_KEYS: undefined }), 'GET', '/');
        expect(logged).toHaveLength(1);
        expect(JSON.parse(logged[0] ?? '')).toMatchObject({
            message: 'configuration error',
            missing: 'HAPPY_DERIVED_KEYS',
        });
    });
});

describe('master secret', () => {
    it('goes by its older name too', async () => {
        const server = startServer({ HAPPY_MASTER_SECRET: undefined, HANDY_MASTER_SECRET: env.HAPPY_MASTER_SECRET });
        expect((await call(server, 'GET', '/')).status).toBe(200);
    });

    it.each(['a different secret', ` ${env.HAPPY_MASTER_SECRET}`, `${env.HAPPY_MASTER_SECRET}\n`])(
        'refuses keys that were derived from another one than %j',
        async (secret) => {
            const { status, body } = await call(startServer({ HAPPY_MASTER_SECRET: secret }), 'GET', '/v1/sessions');
            expect(status).toBe(500);
            expect(body.missing).toEqual([expect.stringMatching(/^HAPPY_DERIVED_KEYS \(.+\)$/)]);
            expect(JSON.stringify(body)).not.toContain(secret.trim());
        },
    );

    it.each(['', 'v1', 'v2.0000.AAAA', 'v1.0123456789abcdef.AAAA'])('refuses derived keys %j', async (keys) => {
        const { status, body } = await call(startServer({ HAPPY_DERIVED_KEYS: keys }), 'GET', '/');
        expect(status).toBe(500);
        expect(body.missing[0]).toMatch(/^HAPPY_DERIVED_KEYS/);
    });
});
