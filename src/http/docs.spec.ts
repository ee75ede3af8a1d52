import { afterEach, describe, expect, it, vi } from 'vitest';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import committed from '../../openapi.json';

const server = startServer();

describe('GET /openapi.json', () => {
    afterEach(() => {
        vi.restoreAllMocks();
    });

    it('is the committed document, for everybody, without a database call', async () => {
        const { status, headers, body } = await call(server, 'GET', '/openapi.json');
        expect(status).toBe(200);
        expect(headers.get('Content-Type')).toMatch(/^application\/json/);
        expect(body).toEqual(committed);
        expect(server.db.roundTrips).toBe(0);
    });

    it('answers 304 to who has it already', async () => {
        const { headers } = await call(server, 'GET', '/openapi.json');
        const etag = headers.get('ETag') ?? '';
        const again = await call(server, 'GET', '/openapi.json', undefined, { 'If-None-Match': etag });
        expect(again.status).toBe(304);
        expect(again.body).toBe('');
        expect(again.headers.get('X-Request-Id')).not.toBeNull();
        expect((await call(server, 'GET', '/openapi.json', undefined, { 'If-None-Match': '"other"' })).status).toBe(
            200,
        );
    });

    it('answers HEAD with the headers alone', async () => {
        const { status, headers, body } = await call(server, 'HEAD', '/openapi.json');
        expect(status).toBe(200);
        expect(headers.get('Content-Type')).toMatch(/^application\/json/);
        expect(body).toBe('');
    });

    it('says so in the one error shape when the asset was not deployed', async () => {
        vi.spyOn(console, 'error').mockImplementation(() => undefined);
        const ASSETS = { fetch: async () => new Response('<html>not found</html>', { status: 404 }) };
        const { status, body } = await call(startServer({ ASSETS }), 'GET', '/openapi.json');
        expect(status).toBe(500);
        expect(body).toMatchObject({ error: 'The API documentation is not deployed', code: 'INTERNAL' });
    });
});

describe('GET /docs', () => {
    const directives = (headers: Headers) =>
        Object.fromEntries(
            (headers.get('Content-Security-Policy') ?? '').split('; ').map((directive) => {
                const [name, ...sources] = directive.split(' ');
                return [name, sources.join(' ')];
            }),
        );

    it('is a page of files that are served here, each of its type, without a database call', async () => {
        const { status, headers, body } = await call(server, 'GET', '/docs');
        expect(status).toBe(200);
        expect(headers.get('Content-Type')).toMatch(/^text\/html/);
        const files = [...String(body).matchAll(/<script src="([^"]*)"/g)].map(([, src]) => src ?? '');
        expect(files).toEqual(['/docs/viewer.js', '/docs/start.js']);
        for (const file of files) {
            const script = await call(server, 'GET', file);
            expect(script.status).toBe(200);
            expect(script.headers.get('Content-Type')).toMatch(/^text\/javascript/);
        }
        expect(server.db.roundTrips).toBe(0);
    });

    it('may load nothing of another origin, run no inline script and be framed by nobody', async () => {
        const policy = directives((await call(server, 'GET', '/docs')).headers);
        expect(policy).toMatchObject({
            'default-src': "'none'",
            'script-src': "'self'",
            'connect-src': "'self'",
            'frame-ancestors': "'none'",
        });
        expect(Object.values(policy).join(' ')).not.toMatch(/https?:|\*|unsafe-eval/);
    });

    it('alone has that policy', async () => {
        for (const path of ['/openapi.json', '/docs/viewer.js', '/health']) {
            const { headers } = await call(server, 'GET', path);
            expect(directives(headers)).toEqual({ 'default-src': "'none'", 'frame-ancestors': "'none'" });
        }
    });

    it('answers 304 to who has it already', async () => {
        const { headers } = await call(server, 'GET', '/docs');
        const again = await call(server, 'GET', '/docs', undefined, { 'If-None-Match': headers.get('ETag') ?? '' });
        expect(again.status).toBe(304);
    });

    it.each(['/docs/page', '/docs/page.html', '/docs/other.js', '/docs/'])('%s is nothing', async (path) => {
        expect((await call(server, 'GET', path)).status).toBe(404);
    });
});
