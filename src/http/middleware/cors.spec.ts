import { describe, expect, it } from 'vitest';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import type { TestServer } from '@test/helpers/server';

const APP = 'https://app.example';
const OTHER = 'https://other.example';
const server = startServer();

const get = (from: TestServer, origin: string, path = '/health') =>
    call(from, 'GET', path, undefined, { Origin: origin });

function preflight(from: TestServer, origin: string, path = '/v1/sessions') {
    return call(from, 'OPTIONS', path, undefined, {
        Origin: origin,
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'authorization,content-type',
    });
}

describe('by default', () => {
    it.each(['/health', '/', '/nowhere', '/v1/sessions', '/trpc/sessions.list', '/openapi.json'])(
        'any origin may read %s, without credentials',
        async (path) => {
            const { headers } = await get(server, APP, path);
            expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
            expect(headers.has('Access-Control-Allow-Credentials')).toBe(false);
        },
    );

    it('lets pages read what they need of the headers', async () => {
        const exposed = (await get(server, APP)).headers.get('Access-Control-Expose-Headers')?.split(',');
        expect(exposed).toEqual(expect.arrayContaining(['X-Request-Id', 'Server-Timing', 'ETag', 'Retry-After']));
    });

    it.each(['', ' ', ' , '])('CORS_ORIGINS of %j narrows nothing', async (CORS_ORIGINS) => {
        const { headers } = await get(startServer({ CORS_ORIGINS }), APP);
        expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
    });
});

describe('preflight', () => {
    it.each(['/v1/sessions', '/trpc/sessions.create', '/nowhere'])(
        'of %s lists methods and headers by name',
        async (path) => {
            const { status, headers, body } = await preflight(server, APP, path);
            expect(status).toBe(204);
            expect(body).toBe('');
            expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
            expect(headers.get('Access-Control-Allow-Methods')).toBe('GET,POST,PUT,PATCH,DELETE');
            expect(headers.get('Access-Control-Allow-Headers')).toBe(
                'Authorization,Content-Type,X-Happy-Client,X-Request-Id,X-Correlation-Id,If-None-Match',
            );
            expect(Number(headers.get('Access-Control-Max-Age'))).toBeGreaterThan(0);
        },
    );

    it('is answered before the configuration is asked for, so that pages can read the Configuration Error', async () => {
        const { status } = await preflight(startServer({ HAPPY_MASTER_SECRET: undefined }), APP);
        expect(status).toBe(204);
    });
});

describe('narrowed by CORS_ORIGINS', () => {
    const narrowed = startServer({ CORS_ORIGINS: ` ${APP} , https://second.example` });

    it.each([APP, 'https://second.example'])('allows %s', async (origin) => {
        for (const { headers } of [await get(narrowed, origin), await preflight(narrowed, origin)]) {
            expect(headers.get('Access-Control-Allow-Origin')).toBe(origin);
            expect(headers.get('Vary')).toContain('Origin');
            expect(headers.has('Access-Control-Allow-Credentials')).toBe(false);
        }
    });

    it.each([
        OTHER,
        'https://APP.example',
        'http://app.example',
        'https://app.example:8443',
        'https://app.example.evil.example',
        'https://evil-app.example',
        'null',
        '',
    ])('does not allow %j', async (origin) => {
        for (const { headers } of [await get(narrowed, origin), await preflight(narrowed, origin)]) {
            expect(headers.has('Access-Control-Allow-Origin')).toBe(false);
            // A cache must not hand this answer to an origin that is allowed.
            expect(headers.get('Vary')).toContain('Origin');
        }
    });

    it('narrows errors as well', async () => {
        expect((await get(narrowed, OTHER, '/nowhere')).headers.has('Access-Control-Allow-Origin')).toBe(false);
        expect((await get(narrowed, APP, '/nowhere')).headers.get('Access-Control-Allow-Origin')).toBe(APP);
    });

    it('takes an entry `*` for any origin', async () => {
        const { headers } = await get(startServer({ CORS_ORIGINS: `${APP},*` }), OTHER);
        expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
    });
});
