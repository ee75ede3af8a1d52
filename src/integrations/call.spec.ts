import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { OutsideError, callOutside } from '@/integrations/call';
import { openServices } from '@test/services/services';
import type { PlannedAnswer } from '@test/services/services';

const Reply = z.object({ word: z.string() });

async function call(answer?: Omit<PlannedAnswer, 'on'>, options: { timeoutMs?: number; maxBytes?: number } = {}) {
    const services = openServices();
    await services.plan('GET /thing', answer);
    const url = new URL(`${services.url}/thing?key=url-secret`);
    const init = { headers: { Authorization: 'Bearer header-secret' } };
    const reply = callOutside({ service: 'Thing', url, init, timeoutMs: 2_000, reply: Reply, ...options });
    return { services, reply };
}

it('hands back what the service said, parsed', async () => {
    const { reply, services } = await call({ body: { word: 'yes', more: 1 } });
    expect(await reply).toEqual({ word: 'yes' });
    const [request] = await services.requests();
    expect(request).toMatchObject({ method: 'GET', query: { key: 'url-secret' } });
    expect(request?.headers.authorization).toBe('Bearer header-secret');
});

describe('a service that fails', () => {
    const unavailable = 'SERVICE_UNAVAILABLE';
    const bad = 'BAD_GATEWAY';
    it.each<[string, Omit<PlannedAnswer, 'on'>, string, string]>([
        ['says nothing', { fault: 'silent' }, unavailable, 'Thing did not answer in time'],
        ['stops in the middle', { body: { word: 'yes' }, fault: 'stall' }, unavailable, 'Thing did not answer in time'],
        ['hangs up', { fault: 'hang-up' }, unavailable, 'Thing cannot be reached'],
        ['is cut off', { body: { word: 'yes' }, fault: 'cut' }, unavailable, 'Thing cannot be reached'],
        ['fails', { status: 500, body: { word: 'yes' } }, bad, 'Thing answered with status 500'],
        ['is closed', { status: 503 }, unavailable, 'Thing answered with status 503'],
        ['is busy', { status: 429 }, unavailable, 'Thing answered with status 429'],
        ['refuses', { status: 401 }, bad, 'Thing answered with status 401'],
        ['sends no JSON', { body: '<html>yes</html>' }, bad, 'Thing answered with something unexpected'],
        ['sends half of its JSON', { body: '{"word":"y' }, bad, 'Thing answered with something unexpected'],
        ['sends nothing', { body: '' }, bad, 'Thing answered with something unexpected'],
        ['sends other JSON', { body: { word: 1 } }, bad, 'Thing answered with something unexpected'],
        ['never stops', { fault: 'huge' }, bad, 'Thing answered with too much'],
    ])('%s', async (_name, answer, reason, message) => {
        const { reply } = await call(answer);
        const error: unknown = await reply.catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(OutsideError);
        expect(error).toMatchObject({ reason, message });
    });

    it('cannot be found at all', async () => {
        const url = new URL('http://127.0.0.1:1/');
        const reply = callOutside({ service: 'Thing', url, timeoutMs: 2_000, reply: Reply });
        await expect(reply).rejects.toMatchObject({ reason: unavailable, message: 'Thing cannot be reached' });
    });

    it('redirects elsewhere, where no secret goes', async () => {
        const elsewhere = openServices();
        await elsewhere.plan('GET /trap', { body: { word: 'trapped' }, always: true });
        for (const status of [301, 302, 303, 307, 308]) {
            const { reply } = await call({ status, headers: { Location: `${elsewhere.url}/trap` } });
            await expect(reply).rejects.toMatchObject({ reason: bad, message: `Thing answered with status ${status}` });
        }
        expect(await elsewhere.requests()).toEqual([]);
    });

    it('is given no more time than allowed', async () => {
        const { reply } = await call({ fault: 'silent' }, { timeoutMs: 150 });
        const started = performance.now();
        await expect(reply).rejects.toBeInstanceOf(OutsideError);
        expect(performance.now() - started).toBeLessThan(2000);
    });
});

it('takes a reply up to the limit, and no byte more', async () => {
    const body = JSON.stringify({ word: 'é'.repeat(100) });
    const size = new TextEncoder().encode(body).length;
    expect(await (await call({ body }, { maxBytes: size })).reply).toEqual({ word: 'é'.repeat(100) });
    await expect((await call({ body }, { maxBytes: size - 1 })).reply).rejects.toThrow('too much');
});

it('says nothing of URL, headers and reply in its errors', async () => {
    for (const answer of [
        { status: 500, body: 'reply-secret' },
        { body: 'reply-secret' },
        { fault: 'hang-up' as const },
    ]) {
        const error = (await (await call(answer)).reply.catch((thrown: unknown) => thrown)) as Error;
        expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/secret/);
        expect(error.cause).toBeUndefined();
    }
});

it('tells when a service wants to be left alone for a while', async () => {
    const { reply } = await call({ status: 429, headers: { 'Retry-After': '7' } });
    await expect(reply).rejects.toMatchObject({ facts: { status: 429, retryAfterMs: 7000 } });
});
