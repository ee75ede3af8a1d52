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
        expect(body).toMatchObject({ error: 'The OpenAPI document is not deployed', code: 'INTERNAL' });
    });
});
