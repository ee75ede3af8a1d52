import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkServer } from './check-server.mjs';
import type { CommandError } from './console.mjs';

const healthy = { status: 'healthy' };
const allWell = { environment: true, database: true };
/** What the server answers, by path; times for which it answers nothing sensible first. */
let answers: Record<string, [status: number, body: unknown]> = {};
let quiet = 0;
let url = '';

const server = createServer((request, response) => {
    const [status, body] = quiet-- > 0 ? [404, 'There is nothing here yet'] : (answers[request.url ?? ''] ?? [404, '']);
    response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
});

beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const check = (patienceMs = 0) => checkServer(url, { patienceMs, pauseMs: 1 });
const trouble = () =>
    check().then(
        () => null,
        (error: CommandError) => [error.message, ...error.hints].join('\n'),
    );

describe('a new server', () => {
    it('is waited for', async () => {
        answers = { '/health': [200, healthy], '/ready': [200, { ready: true, checks: allWell }] };
        quiet = 5;
        await expect(check(60_000)).resolves.toBeUndefined();
    });

    it('that is not ready is told apart by its checks, with its own words on what is missing', async () => {
        const missing = { error: 'Configuration Error', missing: ['HAPPY_DERIVED_KEYS'] };
        const checks = { environment: false, database: false, storage: true };
        answers = { '/health': [200, healthy], '/ready': [503, { ready: false, checks }], '/': [500, missing] };
        const text = await trouble();
        expect(text).toMatch(/runs, but .*\/ready says that it is not ready/);
        expect(text).toMatch(/environment: A secret or a binding[^]*database: [^]*HAPPY_DERIVED_KEYS/);
        expect(text).not.toContain('storage');
    });

    it('is none when something else answers there', async () => {
        answers = { '/health': [200, '<html>Parked</html>'] };
        expect(await trouble()).toMatch(/does not answer as a Happy server does: 200 <html>Parked/);
        answers = { '/health': [200, null], '/ready': [200, { ready: true }] };
        expect(await trouble()).toMatch(/does not answer as a Happy server does: 200 null/);
    });

    it('is none when nothing answers', async () => {
        const nobody = await checkServer('http://127.0.0.1:9', { patienceMs: 0 }).catch(
            (error: Error) => error.message,
        );
        expect(nobody).toMatch(/does not answer as a Happy server does: /);
    });
});
