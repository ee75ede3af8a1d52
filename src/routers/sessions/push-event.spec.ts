import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { getDb } from '@/db/client';
import { sweepPushTickets } from '@/routers/push/delivery';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf, told } from '@test/helpers/answers';
import { holdClock } from '@test/helpers/clock';
import { keepErrorLog } from '@test/helpers/log';
import { startServer } from '@test/helpers/server';
import type { TestServer } from '@test/helpers/server';
import { openSocket } from '@test/helpers/socket';
import { SECRETS, openServices } from '@test/services/services';
import type { OutsideServices, PlannedAnswer } from '@test/services/services';

const clock = holdClock();
const lines = keepErrorLog();
const SEND = 'POST /--/api/v2/push/send';
const RECEIPTS = 'POST /--/api/v2/push/getReceipts';
const EVENT = { kind: 'done', title: 'Claude is done', body: 'Refactored the parser' };
const GONE = { status: 'error', message: 'not registered', details: { error: 'DeviceNotRegistered' } };
const MINUTE = 60_000;

interface Setting {
    server: TestServer;
    services: OutsideServices;
    account: TestAccount;
    sid: string;
}

/** An account with a session and so many devices, on a server of its own. */
async function createSetting(devices = 1): Promise<Setting> {
    const services = openServices();
    const server = startServer(services.env);
    const account = await createAccount(server);
    await env.DB.prepare(
        `INSERT INTO AccountPushToken (id, accountId, token, createdAt, updatedAt)
         SELECT ?1 || value, ?1, 'ExponentPushToken[' || value || ']', ?2, ?2 - value FROM json_each(?3)`,
    )
        .bind(account.id, Date.now(), JSON.stringify(Array.from({ length: devices }, (_, i) => i)))
        .run();
    return { server, services, account, sid: await createSession(account) };
}

const push = ({ account, sid }: Setting, event: object = EVENT) =>
    account.call('POST', `/v1/sessions/${sid}/push-event`, event);

const ok = (...ids: string[]) => ids.map((id) => ({ status: 'ok', id }));

const tokensOf = async (account: TestAccount): Promise<string[]> =>
    (await account.call('GET', '/v1/push-tokens')).body.tokens.map(({ token }: { token: string }) => token);

const sentBatches = async ({ services }: Setting) =>
    (await services.requests('/--/api/v2/push/send')).map(({ body }) => JSON.parse(body) as { to: string }[]);

describe('a session notification', () => {
    it('goes to every device, and to the open apps', async () => {
        const setting = await createSetting(2);
        const { services, account, server, sid } = setting;
        const socket = await openSocket(server, { headers: { Authorization: `Bearer ${account.token}` } });
        await services.plan(SEND, { body: { data: ok('r1', 'r2') } });
        const timestamp = Date.now();
        const answer = await push(setting, { ...EVENT, data: { requestId: 'q-1', sessionId: 'somebody else’s' } });
        expect(answer).toMatchObject({ status: 200, body: { success: true, result: 'sent', tokens: 2, delivered: 2 } });
        expect(answer.body).not.toHaveProperty('reason');

        const [batch] = await sentBatches(setting);
        const message = {
            title: EVENT.title,
            body: EVENT.body,
            data: { kind: 'done', requestId: 'q-1', sessionId: sid },
            sound: 'default',
            channelId: 'messages',
            priority: 'high',
        };
        expect(batch).toEqual([0, 1].map((i) => ({ to: `ExponentPushToken[${i}]`, ...message })));
        const [request] = await services.requests();
        expect(request?.headers.authorization).toBe(`Bearer ${SECRETS.EXPO_ACCESS_TOKEN}`);

        const { data } = await socket.next(
            ({ event, data: said }) => event === 'ephemeral' && said.type === 'session-event',
        );
        expect(data).toEqual({ type: 'session-event', sessionId: sid, ...EVENT, timestamp });
        socket.close();
    });

    it('asks the database once before the answer, and writes once after it', async () => {
        const setting = await createSetting();
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        expect(await roundTripsOf(setting.server, () => push(setting))).toBe(2);
    });

    it('takes one round trip when there is nobody to notify', async () => {
        const setting = await createSetting(0);
        await setting.account.call('GET', '/v1/push-tokens'); // the login token is known now
        let answer: unknown;
        expect(await roundTripsOf(setting.server, async () => (answer = await push(setting)))).toBe(1);
        expect(answer).toMatchObject({
            status: 200,
            body: { success: true, result: 'no_tokens', tokens: 0, delivered: 0 },
        });
        expect(await setting.services.requests()).toEqual([]);
    });

    it('goes out in batches of 100', async () => {
        const setting = await createSetting(250);
        const { services } = setting;
        // The batches leave together, so each answer must do for any of them.
        for (let batch = 0; batch < 3; batch++) {
            await services.plan(SEND, {
                body: { data: Array.from({ length: 100 }, () => ok(crypto.randomUUID())[0]) },
            });
        }
        const { body } = await push(setting);
        const batches = await sentBatches(setting);
        expect(batches.map((batch) => batch.length).sort((a, b) => a - b)).toEqual([50, 100, 100]);
        expect(new Set(batches.flat().map(({ to }) => to)).size).toBe(250);
        expect(body).toMatchObject({ result: 'sent', tokens: 250, delivered: 250 });
    });

    it('goes nowhere for what is no Expo token, and to the others all the same', async () => {
        const setting = await createSetting(1);
        await setting.account.call('POST', '/v1/push-tokens', { token: 'no Expo token' });
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        const { body } = await push(setting);
        expect(body).toMatchObject({ result: 'partial', tokens: 2, delivered: 1, reason: 'InvalidToken' });
        expect(await sentBatches(setting)).toEqual([[expect.objectContaining({ to: 'ExponentPushToken[0]' })]]);
    });
});

describe('devices that are gone', () => {
    it('are forgotten when Expo says so at once', async () => {
        const setting = await createSetting(3);
        await setting.services.plan(SEND, { body: { data: [...ok('r1'), GONE, ...ok('r3')] } });
        const { body } = await push(setting);
        expect(body).toMatchObject({ result: 'partial', tokens: 3, delivered: 2, reason: 'DeviceNotRegistered' });
        expect(await tokensOf(setting.account)).toEqual(['ExponentPushToken[0]', 'ExponentPushToken[2]']);
    });

    it('are forgotten when a receipt says so, asked for a quarter of an hour later', async () => {
        const setting = await createSetting(3);
        const { services, account } = setting;
        const ids = Array.from({ length: 3 }, () => crypto.randomUUID());
        await services.plan(SEND, { body: { data: ok(...ids) } });
        await push(setting);

        clock.advance(15 * MINUTE);
        await services.plan(SEND, { body: { data: ok('a', 'b', 'c') } });
        await push(setting);
        expect(await services.requests('/--/api/v2/push/getReceipts')).toEqual([]);

        clock.advance(1);
        await services.plan(RECEIPTS, {
            body: { data: { [ids[0]!]: { status: 'ok' }, [ids[1]!]: GONE } },
        });
        await services.plan(SEND, { body: { data: ok('d', 'e', 'f') } });
        await push(setting);
        const [asked] = await services.requests('/--/api/v2/push/getReceipts');
        expect(new Set(JSON.parse(asked?.body ?? '').ids)).toEqual(new Set(ids));
        expect(await tokensOf(account)).toEqual(['ExponentPushToken[0]', 'ExponentPushToken[2]']);

        // The receipt that was not there yet is asked for again, the others never.
        const { results } = await env.DB.prepare('SELECT id FROM PushTicket WHERE accountId = ? ORDER BY id')
            .bind(account.id)
            .all<{ id: string }>();
        expect(new Set(results.map(({ id }) => id))).toEqual(new Set([ids[2], 'a', 'b', 'c', 'd', 'e', 'f']));
    });

    it('stay when they registered again after they were sent to', async () => {
        const setting = await createSetting(1);
        const id = crypto.randomUUID();
        await setting.services.plan(SEND, { body: { data: ok(id) } });
        await push(setting);
        clock.advance(MINUTE);
        await setting.account.call('POST', '/v1/push-tokens', { token: 'ExponentPushToken[0]' });
        clock.advance(15 * MINUTE);
        await setting.services.plan(RECEIPTS, { body: { data: { [id]: GONE } } });
        await setting.services.plan(SEND, { body: { data: ok('next') } });
        await push(setting);
        expect(await tokensOf(setting.account)).toEqual(['ExponentPushToken[0]']);
    });

    it('stay when only the receipts cannot be had', async () => {
        const setting = await createSetting(1);
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        await push(setting);
        clock.advance(16 * MINUTE);
        await setting.services.plan(RECEIPTS, { body: '<html>' });
        await setting.services.plan(SEND, { body: { data: ok('r2') } });
        expect((await push(setting)).body).toMatchObject({ result: 'sent' });
        expect(await tokensOf(setting.account)).toEqual(['ExponentPushToken[0]']);
        expect(lines.join()).toContain('push bookkeeping failed');
    });

    it('P8 are forgotten for this account only', async () => {
        const setting = await createSetting(1);
        const other = await createAccount(setting.server);
        await other.call('POST', '/v1/push-tokens', { token: 'ExponentPushToken[0]' });
        await setting.services.plan(SEND, { body: { data: [GONE] } });
        await push(setting);
        expect(await tokensOf(setting.account)).toEqual([]);
        expect(await tokensOf(other)).toEqual(['ExponentPushToken[0]']);
    });

    it('are asked about for a day, then the tickets are swept', async () => {
        const setting = await createSetting(1);
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        await push(setting);
        const sweep = () => sweepPushTickets({ db: getDb(setting.server.env.DB), now: () => Date.now() });
        const count = () =>
            env.DB.prepare('SELECT count(*) n FROM PushTicket WHERE accountId = ?').bind(setting.account.id).first('n');
        clock.advance(24 * 60 * MINUTE);
        await sweep();
        expect(await count()).toBe(1);
        clock.advance(1);
        await sweep();
        expect(await count()).toBe(0);
    });
});

describe('when Expo', () => {
    it.each([429, 500, 503])('answers %i, it is asked again, three times at most', async (status) => {
        const setting = await createSetting(1);
        await setting.services.plan(SEND, { status });
        await setting.services.plan(SEND, { status, headers: { 'Retry-After': '0' } });
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        expect((await push(setting)).body).toMatchObject({ result: 'sent', delivered: 1 });
        expect(await sentBatches(setting)).toHaveLength(3);

        await setting.services.plan(SEND, { status, always: true });
        const { status: answered, body } = await push(setting);
        expect({ answered, body }).toEqual({
            answered: 200,
            body: {
                success: true,
                result: 'failed',
                tokens: 1,
                delivered: 0,
                reason: `Expo answered with status ${status}`,
            },
        });
        expect(await sentBatches(setting)).toHaveLength(6);
    });

    it('wants to be left alone for long, nobody waits', async () => {
        const setting = await createSetting(1);
        await setting.services.plan(SEND, { status: 429, headers: { 'Retry-After': '60' }, always: true });
        expect((await push(setting)).body).toMatchObject({ result: 'failed', reason: 'Expo answered with status 429' });
        expect(await sentBatches(setting)).toHaveLength(1);
    });

    it.each<[string, Omit<PlannedAnswer, 'on'>, string]>([
        ['says nothing', { fault: 'silent' }, 'Expo did not answer in time'],
        ['stalls', { body: { data: ok('r1') }, fault: 'stall' }, 'Expo did not answer in time'],
        ['refuses', { status: 400, body: { errors: [{ code: 'reply-secret' }] } }, 'Expo answered with status 400'],
        ['redirects', { status: 302, headers: { Location: 'https://evil.test/' } }, 'Expo answered with status 302'],
        ['sends HTML', { body: '<html>reply-secret' }, 'Expo answered with something unexpected'],
        ['sends other JSON', { body: { data: 'reply-secret' } }, 'Expo answered with something unexpected'],
        ['never stops', { fault: 'huge' }, 'Expo answered with too much'],
    ])('%s, the result is honest, and it is not asked twice', async (_name, answer, reason) => {
        const setting = await createSetting(1);
        await setting.services.plan(SEND, { ...answer, always: true });
        const { status, body } = await push(setting);
        expect({ status, body }).toEqual({
            status: 200,
            body: { success: true, result: 'failed', tokens: 1, delivered: 0, reason },
        });
        expect(await sentBatches(setting)).toHaveLength(1);
        expect(await tokensOf(setting.account)).toEqual(['ExponentPushToken[0]']);
        for (const secret of [SECRETS.EXPO_ACCESS_TOKEN, 'ExponentPushToken[0]', 'reply-secret', EVENT.title]) {
            expect(lines.join()).not.toContain(secret);
        }
    });

    it('answers for too few, the rest counts as not delivered', async () => {
        const setting = await createSetting(2);
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        expect((await push(setting)).body).toMatchObject({
            result: 'partial',
            tokens: 2,
            delivered: 1,
            reason: 'Unknown',
        });
    });

    it('names several troubles, all are told', async () => {
        const setting = await createSetting(3);
        const trouble = (error: string) => ({ status: 'error', message: 'm', details: { error } });
        await setting.services.plan(SEND, {
            body: { data: [trouble('MessageTooBig'), GONE, trouble('MessageTooBig')] },
        });
        const { body } = await push(setting);
        expect(body).toMatchObject({ result: 'failed', delivered: 0, reason: 'MessageTooBig, DeviceNotRegistered' });
    });
});

describe('somebody who has the app in front of them', () => {
    const connect = ({ server, account, sid }: Setting, type = 'user-scoped') =>
        openSocket(server, {
            headers: { Authorization: `Bearer ${account.token}`, 'X-Client-Type': type, 'X-Session-Id': sid },
        });

    it('is told by the app, not by a notification', async () => {
        const setting = await createSetting(1);
        const socket = await connect(setting);
        await socket.request('app-state', { state: 'active' });
        const { body } = await push(setting);
        expect(body).toEqual({
            success: true,
            result: 'suppressed',
            tokens: 1,
            delivered: 0,
            reason: 'active-ui-client',
        });
        expect(await setting.services.requests()).toEqual([]);
        expect((await socket.next(({ event }) => event === 'ephemeral')).data).toMatchObject({
            type: 'session-event',
            kind: 'done',
        });

        await socket.request('app-state', { state: 'background' });
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        expect((await push(setting)).body).toMatchObject({ result: 'sent' });
        socket.close();
    });

    it.each([
        ['a session’s own socket', 'session-scoped', 'active'],
        ['an app that never said anything', 'user-scoped', null],
    ])('is not %s', async (_name, type, state) => {
        const setting = await createSetting(1);
        const socket = await connect(setting, type);
        if (state) await socket.request('app-state', { state });
        await setting.services.plan(SEND, { body: { data: ok('r1') } });
        expect((await push(setting)).body).toMatchObject({ result: 'sent' });
        socket.close();
    });

    it('is nobody when the hub cannot tell', async () => {
        const services = openServices();
        const overloaded = async () => Promise.reject(new Error('Durable Object is overloaded'));
        const hub = (id: string) =>
            new Proxy(env.ACCOUNT_HUB.getByName(id), {
                get: (stub, key) => (key === 'isAppActive' ? overloaded : Reflect.get(stub, key)),
            });
        const server = startServer({ ...services.env, ACCOUNT_HUB: { getByName: hub } });
        const account = await createAccount(server);
        const setting = { server, services, account, sid: await createSession(account) };
        await account.call('POST', '/v1/push-tokens', { token: 'ExponentPushToken[0]' });
        await services.plan(SEND, { body: { data: ok('r1') } });
        expect((await push(setting)).body).toMatchObject({ result: 'sent' });
        expect(lines.join()).toContain('presence unknown');
    });
});

describe('a session notification that is refused', () => {
    it('P8 of another’s session looks like one of none, and reaches nobody', async () => {
        const setting = await createSetting(1);
        const stranger = await createAccount(setting.server);
        await stranger.call('POST', '/v1/push-tokens', { token: 'ExponentPushToken[0]' });
        const answers = [await push({ ...setting, account: stranger }), await push({ ...setting, sid: 'none' })];
        for (const answer of answers) {
            expect(told(answer)).toEqual({ status: 404, body: { error: 'Session not found', code: 'NOT_FOUND' } });
        }
        expect(await setting.services.requests()).toEqual([]);
    });

    it.each([
        {},
        { ...EVENT, kind: 'other' },
        { ...EVENT, title: '' },
        { ...EVENT, title: 'é'.repeat(201) },
        { ...EVENT, title: null },
        { ...EVENT, body: '' },
        { ...EVENT, body: 'x'.repeat(501) },
        { ...EVENT, data: 'text' },
        { ...EVENT, data: { long: 'x'.repeat(10_000) } },
    ])('has bad input %#', async (event) => {
        const setting = await createSetting(1);
        expect((await push(setting, event)).status).toBe(400);
        expect(await setting.services.requests()).toEqual([]);
    });

    it('takes 200 and 500 characters, and no data', async () => {
        const setting = await createSetting(0);
        const event = { kind: 'question', title: 'é'.repeat(200), body: '語'.repeat(500), data: null };
        expect((await push(setting, event)).status).toBe(200);
    });

    it('needs a token', async () => {
        expect((await startServer().fetch('/v1/sessions/x/push-event', { method: 'POST' })).status).toBe(401);
    });
});
