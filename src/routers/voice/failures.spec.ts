import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { keepErrorLog } from '@test/helpers/log';
import { conversationToken, planConversation, voiceServices } from '@test/helpers/voice';
import { SECRETS } from '@test/services/services';
import type { PlannedAnswer } from '@test/services/services';

const lines = keepErrorLog();
const TOKEN = 'GET /v1/convai/conversation/token';

const countOf = (account: TestAccount) =>
    env.DB.prepare('SELECT count(*) n FROM VoiceConversation WHERE accountId = ?').bind(account.id).first('n');

const FAULTS: [string, Omit<PlannedAnswer, 'on'>, number, string][] = [
    ['says nothing', { fault: 'silent' }, 503, 'SERVICE_UNAVAILABLE'],
    ['stalls', { body: conversationToken(), fault: 'stall' }, 503, 'SERVICE_UNAVAILABLE'],
    ['is closed', { status: 503 }, 503, 'SERVICE_UNAVAILABLE'],
    ['fails', { status: 500, body: 'reply-secret' }, 502, 'BAD_GATEWAY'],
    ['refuses the key', { status: 401, body: { detail: 'reply-secret' } }, 502, 'BAD_GATEWAY'],
    ['sends other JSON', { body: { tokens: ['reply-secret'] } }, 502, 'BAD_GATEWAY'],
    ['sends a token without a conversation', { body: { token: 'reply-secret' } }, 502, 'BAD_GATEWAY'],
    ['sends HTML', { body: '<html>reply-secret</html>' }, 502, 'BAD_GATEWAY'],
    ['never stops', { fault: 'huge' }, 502, 'BAD_GATEWAY'],
    ['redirects', { status: 307, headers: { Location: 'https://evil.test/' } }, 502, 'BAD_GATEWAY'],
];

describe('when ElevenLabs', () => {
    it.each(FAULTS)(
        '%s, the caller is told, nothing is counted and nothing leaks',
        async (_name, answer, status, code) => {
            const { server, services } = voiceServices();
            const account = await createAccount(server);
            await services.plan(TOKEN, { ...answer, always: true });
            for (const path of ['/v1/voice/conversations', '/v1/voice/token']) {
                const { status: got, body } = await account.call('POST', path, { agentId: 'a' });
                expect({ status: got, body }).toEqual({
                    status,
                    body: { error: expect.stringMatching(/^ElevenLabs /), code, requestId: expect.any(String) },
                });
                expect(JSON.stringify(body)).not.toMatch(/secret|http/);
            }
            expect(await countOf(account)).toBe(0);
            for (const secret of [...Object.values(SECRETS), 'reply-secret', services.url])
                expect(lines.join()).not.toContain(secret);
        },
    );

    it('does not know the agent, the caller is told so', async () => {
        const { server, services } = voiceServices();
        await services.plan(TOKEN, { status: 404 });
        const answer = await (await createAccount(server)).call('POST', '/v1/voice/conversations', { agentId: 'none' });
        expect(answer).toMatchObject({ status: 404, body: { error: 'Voice agent not found', code: 'NOT_FOUND' } });
    });

    it('cannot tell how long a conversation took, no new one starts', async () => {
        const { server, services } = voiceServices();
        const account = await createAccount(server);
        const id = await planConversation(services);
        await account.call('POST', '/v1/voice/conversations', { agentId: 'a' });
        await services.plan(`GET /v1/convai/conversations/${id}`, { status: 500, always: true });
        await planConversation(services);
        for (const [method, path] of [
            ['POST', 'conversations'],
            ['POST', 'token'],
            ['GET', 'usage'],
        ] as const) {
            const answer = await account.call(
                method,
                `/v1/voice/${path}`,
                method === 'POST' ? { agentId: 'a' } : undefined,
            );
            expect(answer).toMatchObject({ status: 502, body: { code: 'BAD_GATEWAY' } });
        }
        expect(await countOf(account)).toBe(1);
    });

    it('is not configured, voice is closed', async () => {
        const { server } = voiceServices({ ELEVENLABS_API_KEY: undefined });
        const account = await createAccount(server);
        for (const [method, path] of [
            ['POST', 'conversations'],
            ['POST', 'token'],
            ['GET', 'usage'],
        ] as const) {
            const answer = await account.call(
                method,
                `/v1/voice/${path}`,
                method === 'POST' ? { agentId: 'a' } : undefined,
            );
            expect(answer).toMatchObject({
                status: 503,
                body: { error: 'Voice is not configured', code: 'SERVICE_UNAVAILABLE' },
            });
        }
    });
});

describe('when RevenueCat', () => {
    it.each<[string, Omit<PlannedAnswer, 'on'>, number]>([
        ['says nothing', { fault: 'silent' }, 503],
        ['fails', { status: 500 }, 502],
        ['refuses the key', { status: 403 }, 502],
        ['sends other JSON', { body: { subscriber: { entitlements: [] } } }, 502],
    ])('%s, nobody is taken for a subscriber nor for none', async (_name, answer, status) => {
        const { server, services } = voiceServices({ ENVIRONMENT: 'production' });
        const account = await createAccount(server);
        await services.plan(`GET /v1/subscribers/${account.id}`, { ...answer, always: true });
        const calls = [
            account.call('POST', '/v1/voice/token', { agentId: 'a' }),
            account.call('GET', '/v1/voice/usage'),
        ];
        for (const { status: got, body } of await Promise.all(calls)) {
            expect(got).toBe(status);
            expect(body.error).toMatch(/^RevenueCat /);
        }
        expect(await services.requests('/v1/convai/conversation/token')).toEqual([]);
        expect(lines.join()).not.toContain(SECRETS.REVENUECAT_API_KEY);
    });
});

describe('when the database is away', () => {
    it('after the token was made, nobody gets a token that is not counted', async () => {
        const { server, services } = voiceServices({ INTEGRATION_TIMEOUT_MS: '20000' });
        const account = await createAccount(server);
        await services.plan(TOKEN, { body: conversationToken(), delayMs: 1_000 });
        const answer = account.call('POST', '/v1/voice/conversations', { agentId: 'a' });
        await expect.poll(() => services.requests('/v1/convai/conversation/token')).toHaveLength(1);
        server.db.failNext('before');
        expect(await answer).toMatchObject({ status: 503, body: { error: 'Database unavailable, try again' } });
        expect(await countOf(account)).toBe(0);
    });
});

describe('bad input of voice', () => {
    it.each([{}, { agentId: '' }, { agentId: null }, { agentId: 7 }, { agentId: 'a'.repeat(257) }, { agentId: 'a\0' }])(
        'refuses %j',
        async (body) => {
            const { server, services } = voiceServices();
            const account = await createAccount(server);
            for (const path of ['/v1/voice/conversations', '/v1/voice/token']) {
                expect((await account.call('POST', path, body)).status).toBe(400);
            }
            expect(await services.requests()).toEqual([]);
        },
    );

    it.each([
        ['POST', 'token'],
        ['POST', 'conversations'],
        ['GET', 'usage'],
    ])('%s /v1/voice/%s needs a token', async (method, path) => {
        const { server } = voiceServices();
        expect((await server.fetch(`/v1/voice/${path}`, { method })).status).toBe(401);
    });
});
