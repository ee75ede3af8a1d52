import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const everywhere = [
    ['GET', '/', 200],
    ['GET', '/health', 200],
    ['GET', '/ready', 200],
    ['GET', '/openapi.json', 200],
    ['HEAD', '/health', 200],
    ['OPTIONS', '/v1/sessions', 204],
    ['GET', '/nowhere', 404],
    ['GET', '/v1/sessions', 401],
    ['GET', '/v1/auth/request/status', 400],
    ['GET', '/trpc/auth.terminalStatus?input={"publicKey":""}', 200],
    ['GET', '/trpc/sessions.list', 401],
    ['GET', '/trpc/no.such', 404],
    ['HEAD', '/trpc/sessions.list', 204],
] as const;

describe('security headers', () => {
    const server = startServer();

    it.each(everywhere)('%s %s (%i) has them', async (method, path, status) => {
        const answer = await call(server, method, path);
        expect(answer.status).toBe(status);
        expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
        expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer');
        expect(answer.headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
    });
});

describe('Strict-Transport-Security', () => {
    beforeEach(() => {
        vi.spyOn(console, 'error').mockImplementation(() => undefined);
    });
    afterEach(() => {
        vi.restoreAllMocks();
    });

    it.each(['dev', 'production', undefined])('is sent in the environment %s', async (ENVIRONMENT) => {
        const server = startServer({ ENVIRONMENT });
        for (const path of ['/health', '/nowhere', '/v1/sessions', '/openapi.json', '/trpc/sessions.list']) {
            const { headers } = await call(server, 'GET', path);
            expect(headers.get('Strict-Transport-Security')).toMatch(/^max-age=\d{7,}/);
        }
    });

    it('is not sent locally', async () => {
        const { headers } = await call(startServer({ ENVIRONMENT: 'development' }), 'GET', '/health');
        expect(headers.has('Strict-Transport-Security')).toBe(false);
    });

    it('is on the Configuration Error too', async () => {
        const server = startServer({ ENVIRONMENT: 'production', HAPPY_MASTER_SECRET: undefined });
        const { status, headers } = await call(server, 'GET', '/');
        expect(status).toBe(500);
        expect(headers.has('Strict-Transport-Security')).toBe(true);
        expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    });
});
