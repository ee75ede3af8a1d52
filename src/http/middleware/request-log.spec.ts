import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer({ LOG_LEVEL: 'info' });
let lines: string[];

beforeEach(() => {
    lines = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
});
afterEach(() => {
    vi.restoreAllMocks();
});

describe('request log', () => {
    it('names the route by its pattern, so that ids, keys and queries stay out of it', async () => {
        await call(server, 'GET', '/v1/sessions/secret-id?token=secret-query');
        expect(lines).toHaveLength(1);
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({
            level: 'info',
            message: 'request',
            method: 'GET',
            route: '/v1/sessions/:id',
            status: 401,
        });
        expect(lines[0]).not.toContain('secret');
    });

    it.each(['/health', '/openapi.json', '/ready', '/'])('knows %s by its name', async (path) => {
        await call(server, 'GET', path);
        expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ route: path, status: 200 });
    });

    it('says nothing of the path when no route has it', async () => {
        await call(server, 'GET', '/nowhere/secret');
        expect(lines[0]).not.toContain('secret');
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ status: 404 });
    });
});

describe('Server-Timing', () => {
    it.each([
        ['GET', '/health'],
        ['GET', '/nowhere'],
        ['GET', '/v1/sessions'],
        ['GET', '/trpc/sessions.list'],
        ['OPTIONS', '/v1/sessions'],
        ['HEAD', '/openapi.json'],
    ])('is on %s %s', async (method, path) => {
        const { headers } = await call(server, method, path);
        expect(headers.get('Server-Timing')).toMatch(/^total;dur=\d+$/);
    });
});
