import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { deriveElevenLabsUserId } from '@/crypto/eleven-labs-user-id';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { holdClock } from '@test/helpers/clock';
import { planConversation, planState, planSubscriber, voiceServices } from '@test/helpers/voice';
import { SECRETS } from '@test/services/services';

const clock = holdClock();
const AGENT = 'agent_abc/ü 1';
const DAY = 24 * 60 * 60_000;
const start = (account: TestAccount) => account.call('POST', '/v1/voice/conversations', { agentId: AGENT });
const usageOf = async (account: TestAccount) => (await account.call('GET', '/v1/voice/usage')).body;

/** Gives the account ended conversations of so many seconds each. */
async function addUsage(account: TestAccount, ...seconds: number[]): Promise<void> {
    await env.DB.prepare(
        `INSERT INTO VoiceConversation (id, accountId, agentId, startedAt, endedAt, usedSeconds)
         SELECT ?1 || '-' || hex(randomblob(8)), ?1, 'a', ?2, ?2, value FROM json_each(?3)`,
    )
        .bind(account.id, Date.now() - 1000, JSON.stringify(seconds))
        .run();
}

describe('a voice conversation', () => {
    it('starts with a token for the agent, in the account’s ElevenLabs name', async () => {
        const { server, services } = voiceServices();
        const account = await createAccount(server);
        const conversationId = await planConversation(services);
        const { status, body } = await start(account);
        const elevenUserId = await deriveElevenLabsUserId(server.env.HAPPY_MASTER_SECRET ?? '', account.id);
        expect({ status, body }).toEqual({
            status: 200,
            body: {
                allowed: true,
                conversationToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.c2ln$/),
                conversationId,
                agentId: AGENT,
                elevenUserId,
                usedSeconds: 0,
                limitSeconds: 1200,
            },
        });
        const requests = await services.requests('/v1/convai/conversation/token');
        expect(requests).toHaveLength(1);
        expect(requests[0]).toMatchObject({
            query: { agent_id: AGENT, participant_name: elevenUserId },
            headers: { 'xi-api-key': SECRETS.ELEVENLABS_API_KEY },
        });
    });

    it('asks the database twice, and is counted', async () => {
        const { server, services } = voiceServices();
        const account = await createAccount(server);
        await account.call('GET', '/v1/connect/tokens'); // the login token is known now
        await planConversation(services, { status: 'initiated' });
        expect(await roundTripsOf(server, () => start(account))).toBe(2);
        await planSubscriber(services, account.id, {});
        expect((await usageOf(account)).conversationCount).toBe(1);
    });

    it('is counted by ElevenLabs’ clock, looked up until it has ended', async () => {
        const { server, services } = voiceServices({ REVENUECAT_API_KEY: undefined });
        const account = await createAccount(server);
        const id = await planConversation(services, { status: 'initiated' });
        await start(account);
        expect(await usageOf(account)).toMatchObject({ usedSeconds: 0, conversationCount: 1 });

        const startedAt = Date.now() / 1000;
        clock.advance(90_500);
        await planState(services, id, { status: 'in-progress', startedAt });
        expect((await usageOf(account)).usedSeconds).toBe(91);
        await planState(services, id, { status: 'processing', startedAt, seconds: 61 });
        expect((await usageOf(account)).usedSeconds).toBe(91);
        await planState(services, id, { status: 'done', startedAt, seconds: 61 });
        expect((await usageOf(account)).usedSeconds).toBe(61);
        expect((await usageOf(account)).usedSeconds).toBe(61);
        expect(await services.requests(`/v1/convai/conversations/${id}`)).toHaveLength(4);
    });

    it('that never began costs nothing, and is looked up for an hour', async () => {
        const { server, services } = voiceServices({ REVENUECAT_API_KEY: undefined });
        const account = await createAccount(server);
        const id = await planConversation(services);
        await services.plan(`GET /v1/convai/conversations/${id}`, { status: 404, always: true });
        await start(account);
        expect(await usageOf(account)).toMatchObject({ usedSeconds: 0, conversationCount: 1 });
        clock.advance(60 * 60_000 + 1);
        await usageOf(account);
        const asked = (await services.requests()).length;
        expect(await usageOf(account)).toMatchObject({ usedSeconds: 0, conversationCount: 1 });
        expect(await services.requests()).toHaveLength(asked);
    });

    it('that seems to go on for ever ends after a day, with the seconds ElevenLabs counted', async () => {
        const { server, services } = voiceServices({ REVENUECAT_API_KEY: undefined });
        const account = await createAccount(server);
        const id = await planConversation(services);
        await start(account);
        await planState(services, id, { status: 'in-progress', startedAt: Date.now() / 1000, seconds: 30 });
        clock.advance(DAY + 1);
        expect((await usageOf(account)).usedSeconds).toBe(30);
        expect((await usageOf(account)).usedSeconds).toBe(30);
    });
});

describe('voice limits', () => {
    it('let the free seconds be used, then ask for a subscription', async () => {
        const { server, services } = voiceServices({ VOICE_FREE_SECONDS: '100', VOICE_HARD_LIMIT_SECONDS: '500' });
        const account = await createAccount(server);
        await addUsage(account, 60, 39);
        await planConversation(services);
        await services.plan(`GET /v1/subscribers/${account.id}`, { status: 500 });
        expect((await start(account)).body).toMatchObject({ allowed: true, usedSeconds: 99, limitSeconds: 100 });

        await addUsage(account, 1);
        await planState(services, (await openIdOf(account)) ?? '', { status: 'initiated' });
        await planSubscriber(services, account.id, {});
        expect(await start(account)).toMatchObject({
            status: 200,
            body: {
                allowed: false,
                reason: 'subscription_required',
                usedSeconds: 100,
                limitSeconds: 100,
                agentId: AGENT,
            },
        });
        const check = (await services.requests(`/v1/subscribers/${account.id}`)).at(-1);
        expect(check?.headers.authorization).toBe(`Bearer ${SECRETS.REVENUECAT_API_KEY}`);
        expect(await services.requests('/v1/convai/conversation/token')).toHaveLength(1);
    });

    it('let subscribers on to the hard limit', async () => {
        const { server, services } = voiceServices({ VOICE_FREE_SECONDS: '100', VOICE_HARD_LIMIT_SECONDS: '500' });
        const account = await createAccount(server);
        await addUsage(account, 499);
        await planSubscriber(services, account.id, { pro: { expires_date: null } });
        const id = await planConversation(services, { status: 'done', seconds: 1 });
        expect((await start(account)).body).toMatchObject({ allowed: true, usedSeconds: 499, limitSeconds: 500 });
        // Past it, it does not matter whether RevenueCat still knows them.
        expect((await start(account)).body).toEqual({
            allowed: false,
            reason: 'voice_hard_limit_reached',
            usedSeconds: 500,
            limitSeconds: 500,
            agentId: AGENT,
        });
        const row = await env.DB.prepare('SELECT usedSeconds, endedAt FROM VoiceConversation WHERE id = ?')
            .bind(id)
            .first();
        expect(row).toEqual({ usedSeconds: 1, endedAt: expect.any(Number) });
    });

    it('count conversations, and hold under concurrency', async () => {
        const { server, services } = voiceServices({ VOICE_CONVERSATION_LIMIT: '5' });
        const account = await createAccount(server);
        await addUsage(account, 1, 1);
        for (let i = 0; i < 8; i++) await planConversation(services, { status: 'initiated' });
        const answers = await Promise.all(Array.from({ length: 8 }, () => start(account)));
        expect(answers.filter(({ body }) => body.allowed)).toHaveLength(3);
        const denied = answers.filter(({ body }) => !body.allowed);
        expect(denied.every(({ body }) => body.reason === 'voice_conversation_limit_reached')).toBe(true);
        const { n } =
            (await env.DB.prepare('SELECT count(*) n FROM VoiceConversation WHERE accountId = ?')
                .bind(account.id)
                .first<{ n: number }>()) ?? {};
        expect(n).toBe(5);
    });

    it.each<[string, Record<string, object>, number]>([
        ['nobody', {}, 1200],
        ['a subscriber', { pro: { expires_date: null } }, 18_000],
    ])('are the same in every answer to %s', async (_, entitlements, limitSeconds) => {
        const { server, services } = voiceServices({ VOICE_CONVERSATION_LIMIT: '1' });
        const account = await createAccount(server);
        for (let i = 0; i < 3; i++) await planSubscriber(services, account.id, entitlements);
        await planConversation(services, { status: 'done', seconds: 1 });
        expect((await start(account)).body).toMatchObject({ allowed: true, limitSeconds });
        const reason = 'voice_conversation_limit_reached';
        expect((await start(account)).body).toMatchObject({ allowed: false, reason, limitSeconds });
        expect(await usageOf(account)).toMatchObject({ usedSeconds: 1, limitSeconds });
    });

    it('forget what is 30 days old', async () => {
        const { server } = voiceServices({ REVENUECAT_API_KEY: undefined });
        const account = await createAccount(server);
        await addUsage(account, 1200);
        expect(await usageOf(account)).toMatchObject({ usedSeconds: 1200, conversationCount: 1 });
        clock.advance(30 * DAY - 1001);
        expect(await usageOf(account)).toMatchObject({ usedSeconds: 1200 });
        clock.advance(1);
        expect(await usageOf(account)).toMatchObject({ usedSeconds: 0, conversationCount: 0 });
    });

    it('refuse a twenty-first open conversation, which could not be counted', async () => {
        const { server, services } = voiceServices();
        const account = await createAccount(server);
        await env.DB.prepare(
            `INSERT INTO VoiceConversation (id, accountId, agentId, startedAt) SELECT ?1 || value, ?1, 'a', ?2 FROM json_each(?3)`,
        )
            .bind(account.id, Date.now(), JSON.stringify(Array.from({ length: 21 }, (_, i) => `-${i}`)))
            .run();
        for (let i = 0; i < 21; i++) await planState(services, `${account.id}-${i}`, { status: 'initiated' });
        expect(await start(account)).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
        const asked = (await services.requests()).filter(({ path }) => path.includes('/convai/'));
        expect(asked).toHaveLength(20);
    });

    it('P8 are each account’s own', async () => {
        const { server, services } = voiceServices({ REVENUECAT_API_KEY: undefined });
        const [one, other] = [await createAccount(server), await createAccount(server)];
        await addUsage(one, 18_000);
        await planConversation(services);
        expect((await start(other)).body).toMatchObject({ allowed: true, usedSeconds: 0 });
        expect(await usageOf(one)).toMatchObject({ usedSeconds: 18_000, conversationCount: 1 });
    });
});

async function openIdOf(account: TestAccount): Promise<string | null> {
    return env.DB.prepare('SELECT id FROM VoiceConversation WHERE accountId = ? AND endedAt IS NULL')
        .bind(account.id)
        .first('id');
}

describe('voice usage', () => {
    it.each<[string, Record<string, object>, number]>([
        ['nobody', {}, 1200],
        ['a subscriber', { pro: { expires_date: '2099-01-01T00:00:00Z' } }, 18_000],
        ['a subscriber for life', { pro: { expires_date: null } }, 18_000],
        [
            'a late payer within the grace period',
            { pro: { expires_date: '2020-01-01T00:00:00Z', grace_period_expires_date: '2099-01-01T00:00:00Z' } },
            18_000,
        ],
        ['a former subscriber', { pro: { expires_date: '2020-01-01T00:00:00Z' } }, 1200],
        ['a subscriber of something else', { other: { expires_date: null } }, 1200],
        ['somebody with a broken date', { pro: { expires_date: 'soon' } }, 1200],
    ])('tells %s what may be used', async (_name, entitlements, limitSeconds) => {
        const { server, services } = voiceServices();
        const account = await createAccount(server);
        await planSubscriber(services, account.id, entitlements);
        expect(await account.call('GET', '/v1/voice/usage')).toMatchObject({
            status: 200,
            body: {
                usedSeconds: 0,
                limitSeconds,
                conversationCount: 0,
                conversationLimit: 100,
                elevenUserId: await deriveElevenLabsUserId(server.env.HAPPY_MASTER_SECRET ?? '', account.id),
            },
        });
    });
});

describe('a voice token', () => {
    it('is for subscribers in production', async () => {
        const { server, services } = voiceServices({ ENVIRONMENT: 'production' });
        const account = await createAccount(server);
        await planSubscriber(services, account.id, {});
        const body = { agentId: AGENT, revenueCatPublicKey: 'appl_of_the_client' };
        expect(await account.call('POST', '/v1/voice/token', body)).toMatchObject({
            status: 200,
            body: { allowed: false, agentId: AGENT },
        });
        await planSubscriber(services, account.id, { pro: { expires_date: null } });
        const conversationId = await planConversation(services);
        const { body: granted } = await account.call('POST', '/v1/voice/token', body);
        expect(granted).toEqual({ allowed: true, token: expect.any(String), agentId: AGENT });
        expect(await openIdOf(account)).toBe(conversationId);
        for (const request of await services.requests())
            expect(JSON.stringify(request)).not.toContain('appl_of_the_client');
    });

    it('needs no subscription elsewhere, and keeps to the limits', async () => {
        const { server, services } = voiceServices({ ENVIRONMENT: 'dev', VOICE_HARD_LIMIT_SECONDS: '10' });
        const account = await createAccount(server);
        await planConversation(services, { status: 'done', seconds: 10 });
        expect((await account.call('POST', '/v1/voice/token', { agentId: AGENT })).body.allowed).toBe(true);
        expect((await account.call('POST', '/v1/voice/token', { agentId: AGENT })).body).toEqual({
            allowed: false,
            agentId: AGENT,
        });
        expect(await services.requests(`/v1/subscribers/${account.id}`)).toEqual([]);
    });

    it('can be had without a subscription in production when the operator says so', async () => {
        const { server, services } = voiceServices({ ENVIRONMENT: 'production', VOICE_REQUIRE_SUBSCRIPTION: 'false' });
        await planConversation(services);
        const account = await createAccount(server);
        expect((await account.call('POST', '/v1/voice/token', { agentId: AGENT })).body.allowed).toBe(true);
    });

    it('is for nobody in production without RevenueCat', async () => {
        const { server, services } = voiceServices({ ENVIRONMENT: 'production', REVENUECAT_API_KEY: undefined });
        const account = await createAccount(server);
        expect((await account.call('POST', '/v1/voice/token', { agentId: AGENT })).body).toEqual({
            allowed: false,
            agentId: AGENT,
        });
        expect(await services.requests()).toEqual([]);
    });
});
