import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import type { Env } from '@/env';
import type { Connection } from '@/realtime/connection';
import { MAX_SUBSCRIPTIONS } from '@/realtime/subscriptions';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { cutOffGateways } from '@test/helpers/hubs';
import { startServer } from '@test/helpers/server';
import { subscribe } from '@test/helpers/sse';
import { connectWsLink } from '@test/helpers/ws-link';
import type { Door, Watched } from '@test/helpers/ws-link';

const server = startServer();
const DOORS: [Door][] = [['ticket'], ['connectionParams']];
const kinds = ({ events }: Watched) => events.map(({ event, data }) => data.body?.t ?? data.type ?? event);
const ids = ({ events }: Watched) => events.map(({ id }) => id);
const say = (account: TestAccount, sid: string) =>
    account.call('POST', `/v1/sessions/${sid}/messages`, { content: 'x' });

/** The object that holds a socket. */
const hostOf = (account: TestAccount, door: Door) =>
    (door === 'ticket'
        ? server.env.ACCOUNT_HUB.getByName(account.id)
        : server.env.SOCKET_GATEWAY.getByName('trpc-0')) as DurableObjectStub;

/** What the attachments of an account's tRPC sockets hold. */
const attachments = (account: TestAccount, door: Door) =>
    runInDurableObject(hostOf(account, door), (_, state) =>
        state
            .getWebSockets()
            .filter(({ readyState }) => readyState === WebSocket.OPEN)
            .map((socket) => socket.deserializeAttachment() as Connection)
            .filter(({ accountId }) => accountId === account.id),
    );
const closeSockets = (account: TestAccount, door: Door) =>
    runInDurableObject(hostOf(account, door), (_, state) => {
        for (const socket of state.getWebSockets()) {
            const { accountId } = socket.deserializeAttachment() as Connection;
            if (accountId === account.id) socket.close(1012, 'Restart');
        }
    });

describe.each(DOORS)('wsLink with a %s', (door) => {
    it('subscribes to the account, a session and a machine, each with what concerns it', async () => {
        const account = await createAccount(server);
        const [sid, other] = [await createSession(account), await createSession(account)];
        const machine = await createMachine(account);
        const { follow } = connectWsLink(server, account, door);
        const [user, session, ofMachine] = [
            await follow(),
            await follow({ scope: 'session', id: sid }),
            await follow({ scope: 'machine', id: machine }),
        ];
        await say(account, other);
        await say(account, sid);
        await account.call('PUT', `/v1/machines/${machine}/status`, { metadata: 'bQ==' });
        await account.call('POST', `/v1/sessions/${sid}/archive`, {});
        await user.next(({ event }) => event === 'ephemeral');
        await ofMachine.next(({ event }) => event === 'update');
        expect(kinds(user)).toEqual(['new-message', 'new-message', 'update-machine', 'activity']);
        const seqs = user.events.slice(0, 3).map(({ data }) => String(data.seq));
        expect(ids(user)).toEqual([...seqs, seqs[2]]);
        expect(kinds(session)).toEqual(['new-message']);
        expect(kinds(ofMachine)).toEqual(['update-machine']);
    });

    it('gets no broadcasts, and is not counted among those who got one', async () => {
        const account = await createAccount(server);
        const watched = await connectWsLink(server, account, door).follow();
        await subscribe(server, account.token);
        const { body } = await account.call('POST', '/v1/websocket/broadcast', { message: { type: 'hello' } });
        expect(body).toEqual({ success: true, delivered: 0 });
        await createSession(account);
        await watched.next(({ event }) => event === 'update');
        expect(kinds(watched)).toEqual(['new-session']);
    });

    it('answers queries and mutations, several at once, and their errors', async () => {
        const account = await createAccount(server);
        const { api, line } = connectWsLink(server, account, door);
        const { session } = await api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        const [listed, got, missing, bad] = await Promise.allSettled([
            api.sessions.list.query({}),
            api.sessions.get.query({ id: session.id }),
            api.sessions.get.query({ id: 'nothing' }),
            api.sessions.create.mutate({ tag: '', metadata: 'bQ==' }),
        ]);
        expect(line.sent.some((text) => text.startsWith('['))).toBe(true);
        expect(listed).toMatchObject({ value: { sessions: [session] } });
        expect(got).toMatchObject({ value: { session } });
        expect(missing).toMatchObject({ reason: { data: { code: 'NOT_FOUND', error: 'NOT_FOUND', httpStatus: 404 } } });
        expect(bad).toMatchObject({ reason: { data: { error: 'VALIDATION_FAILED', issues: [{ path: 'tag' }] } } });
        const { body } = await account.call('GET', `/v1/sessions/${session.id}`);
        expect(body.session).toEqual(session);
    });

    it('needs no input where nothing of it is required', async () => {
        const account = await createAccount(server);
        const { api, line } = connectWsLink(server, account, door);
        await api.sessions.list.query({});
        line.sockets[0]?.send('{"id":9,"method":"query","params":{"path":"sessions.list"}}');
        await vi.waitUntil(() => line.received.length > 1, { timeout: 5_000 });
        expect(JSON.parse(line.received[1] ?? '')).toMatchObject({ id: 9, result: { data: { sessions: [] } } });
    });

    it('tells a writer of its own writes, and gives URLs of its own origin', async () => {
        const account = await createAccount(server);
        const { api, follow } = connectWsLink(server, account, door);
        const watched = await follow();
        const { session } = await api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        await watched.next(({ data }) => data.body?.id === session.id);
        const { uploadUrl } = await api.sessions.requestAttachmentUpload.mutate({
            id: session.id,
            filename: 'a',
            size: 1,
        });
        expect(uploadUrl).toMatch(/^https:\/\/happy\.test\//);
    });

    it.each(['session', 'machine'] as const)(
        'a %s that is unknown or foreign is NOT_FOUND, and is not kept',
        async (scope) => {
            const [account, stranger] = [await createAccount(server), await createAccount(server)];
            const foreign = scope === 'session' ? await createSession(stranger) : await createMachine(stranger);
            const { follow } = connectWsLink(server, account, door);
            for (const id of [foreign, crypto.randomUUID()]) {
                const { error, events } = await follow({ scope, id });
                expect(error?.data).toMatchObject({ code: 'NOT_FOUND', httpStatus: 404 });
                expect(events).toEqual([]);
            }
            expect((await attachments(account, door))[0]?.subscriptions).toEqual([]);
        },
    );

    it('comes back after a cut without a gap or a repeat', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const { follow, line } = connectWsLink(server, account, door);
        const watched = await follow();
        await say(account, sid);
        await watched.next(({ id }) => id === '2');
        await closeSockets(account, door);
        for (let i = 0; i < 3; i += 1) await say(account, sid);
        await vi.waitUntil(() => line.sockets.length === 2, { timeout: 5_000 });
        await say(account, sid);
        await watched.next(({ id }) => id === '6');
        expect(ids(watched)).toEqual(['2', '3', '4', '5', '6']);
    });

    it('comes back after a cut before its first event without a gap, too', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const { follow } = connectWsLink(server, account, door);
        const [user, session] = [await follow(), await follow({ scope: 'session', id: sid })];
        expect([user.beginnings, session.beginnings]).toEqual([['1'], ['1']]);
        await closeSockets(account, door);
        await say(account, sid);
        for (const watched of [user, session]) {
            await watched.next(({ id }) => id === '2');
            expect(kinds(watched)).toEqual(['new-message']);
            expect(watched.beginnings, 'one that continues needs no place to begin at').toEqual(['1']);
        }
    });

    it('comes back when the database fails just then', async () => {
        const account = await createAccount(server);
        const { follow, line } = connectWsLink(server, account, door);
        await follow();
        await runInDurableObject(hostOf(account, door), (instance) => {
            const object = instance as unknown as { env: Env };
            const { env } = object;
            const DB = {
                prepare() {
                    object.env = env;
                    throw new Error('D1_ERROR: Network connection lost.');
                },
            };
            object.env = { ...env, DB: DB as unknown as D1Database };
        });
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        const watched = await follow();
        log.mockRestore();
        expect(watched.error).toBeUndefined();
        expect(line.closed).toEqual([{ code: 1013, reason: 'Try again later' }]);
        expect(line.received.find((text) => text.includes('"error"'))).toContain('SERVICE_UNAVAILABLE');
        await createSession(account);
        await watched.next(({ event }) => event === 'update');
    });

    it('continues from lastEventId, or tells to start over', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        await say(account, sid);
        await say(account, sid);
        const { follow } = connectWsLink(server, account, door);
        const [known, future, nonsense] = [
            await follow({ lastEventId: '1' }),
            await follow({ lastEventId: '99' }),
            await follow({ lastEventId: 'x' }),
        ];
        await known.next(({ id }) => id === '3');
        expect(ids(known)).toEqual(['2', '3']);
        for (const refused of [future, nonsense]) {
            await refused.next(({ event }) => event === 'resync');
            expect(refused.events).toEqual([{ id: '3', event: 'resync', data: { seq: 3 } }]);
        }
    });

    it('unsubscribing frees everything, and nothing comes any more', async () => {
        const account = await createAccount(server);
        const { follow, line, api } = connectWsLink(server, account, door);
        const [one, two] = [await follow(), await follow()];
        expect((await attachments(account, door))[0]?.subscriptions).toHaveLength(2);
        one.unsubscribe();
        await vi.waitUntil(() => line.received.some((text) => text.includes('"stopped"')), { timeout: 5_000 });
        expect((await attachments(account, door))[0]?.subscriptions).toHaveLength(1);
        await api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        await two.next(({ event }) => event === 'update');
        expect(one.events).toEqual([]);
        two.unsubscribe();
        await vi.waitUntil(async () => (await attachments(account, door))[0]?.subscriptions?.length === 0, {
            timeout: 5_000,
        });
    });

    it('leaving frees the socket, here and at the hub', async () => {
        const account = await createAccount(server);
        const { follow, close } = connectWsLink(server, account, door);
        await follow();
        const open = async () => (await account.call('GET', '/v1/websocket/stats')).body.totalConnections;
        expect(await open()).toBe(1);
        await close();
        await vi.waitUntil(async () => (await open()) === 0, { timeout: 5_000 });
        expect(await attachments(account, door)).toEqual([]);
    });

    it('the subscription past the last one is told so, until one is freed', async () => {
        const account = await createAccount(server);
        const { follow, line } = connectWsLink(server, account, door);
        const all: Watched[] = [];
        for (let i = 0; i < MAX_SUBSCRIPTIONS; i += 1) all.push(await follow());
        const refused = await follow();
        expect(refused.error?.data).toMatchObject({ code: 'TOO_MANY_REQUESTS', error: 'RATE_LIMITED' });
        expect(refused.error?.message).toBe(`Too many subscriptions on one socket: at most ${MAX_SUBSCRIPTIONS}`);
        all[0]?.unsubscribe();
        await expect.poll(() => line.received.some((text) => text.includes('"stopped"'))).toBe(true);
        expect((await follow()).error).toBeUndefined();
    });

    it('of 1,000 subscriptions at once the first ones live on, after a cut too, and the others are told why', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const { watch, line } = connectWsLink(server, account, door);
        const all = Array.from({ length: 1000 }, (_, i) => watch(i % 2 ? {} : { scope: 'session', id: sid }));
        await vi.waitUntil(() => all.every(({ started, error }) => started > 0 || error), { timeout: 20_000 });
        const [kept, refused] = [all.slice(0, MAX_SUBSCRIPTIONS), all.slice(MAX_SUBSCRIPTIONS)];
        expect(kept.filter(({ error }) => error)).toEqual([]);
        for (const { error, started } of refused) {
            expect(started).toBe(0);
            expect(error?.data).toMatchObject({ code: 'TOO_MANY_REQUESTS', error: 'RATE_LIMITED', httpStatus: 429 });
            expect(error?.message).toBe(`Too many subscriptions on one socket: at most ${MAX_SUBSCRIPTIONS}`);
        }
        await say(account, sid);
        for (const one of kept) await one.next(({ id }) => id === '2');
        await closeSockets(account, door);
        await say(account, sid);
        for (const one of kept) await one.next(({ id }) => id === '3');
        expect(line.sockets).toHaveLength(2);
        for (const one of kept) expect([kinds(one), one.error]).toEqual([['new-message', 'new-message'], undefined]);
    });

    it('more calls at once than a batch holds are told so, the others are answered', async () => {
        const account = await createAccount(server);
        const { api } = connectWsLink(server, account, door);
        const answers = await Promise.allSettled(Array.from({ length: 25 }, () => api.sessions.list.query({})));
        expect(answers.map(({ status }) => status)).toEqual([
            ...Array.from({ length: 20 }, () => 'fulfilled'),
            ...Array.from({ length: 5 }, () => 'rejected'),
        ]);
        expect(answers[20]).toMatchObject({
            reason: {
                message: 'Too many calls at once: at most 20 in a message',
                data: { error: 'VALIDATION_FAILED' },
            },
        });
    });

    it('follows what its socket is there for, unless it says otherwise', async () => {
        const account = await createAccount(server);
        const [sid, other] = [await createSession(account), await createSession(account)];
        const machine = await createMachine(account);
        const ofSession = connectWsLink(server, account, door, { clientType: 'session-scoped', sessionId: sid });
        const ofMachine = connectWsLink(server, account, door, { clientType: 'machine-scoped', machineId: machine });
        const followed = [
            await ofSession.follow(),
            await ofSession.follow({ id: other }),
            await ofSession.follow({ scope: 'user' }),
            await ofMachine.follow({}),
        ];
        await say(account, other);
        await say(account, sid);
        await account.call('PUT', `/v1/machines/${machine}/status`, { metadata: 'bQ==' });
        const seq = (await followed[2]!.next(({ data }) => data.body?.t === 'update-machine')).data.seq;
        await followed[3]!.next(({ data }) => data.seq === seq);
        expect(followed.map((one) => one.events.map(({ data }) => data.seq - seq))).toEqual([
            [-1],
            [-2],
            [-2, -1, 0],
            [0],
        ]);
    });

    it('a scope without its id is bad input', async () => {
        const account = await createAccount(server);
        const { error } = await connectWsLink(server, account, door).follow({ scope: 'session' });
        expect(error?.data).toMatchObject({ error: 'VALIDATION_FAILED', issues: [{ path: 'id' }] });
    });

    it('a token that ends tells every subscription, and closes', async () => {
        const account = await createAccount(server);
        const { follow, line } = connectWsLink(server, account, door);
        const [one, two] = [await follow(), await follow()];
        await account.call('POST', '/v1/auth/logout-all');
        await vi.waitUntil(() => one.error && two.error, { timeout: 5_000 });
        for (const { error } of [one, two])
            expect(error?.data).toMatchObject({ code: 'UNAUTHORIZED', httpStatus: 401 });
        await vi.waitUntil(() => line.closed.length > 0, { timeout: 5_000 });
        expect(line.closed[0]).toEqual({ code: 4006, reason: 'Token revoked' });
    });

    it.each([
        ['no JSON', '{'],
        ['no object', '1'],
        ['null', 'null'],
        ['no method', '{"id":1}'],
        ['an unknown method', '{"id":1,"method":"drop","params":{"path":"x"}}'],
        ['no params', '{"id":1,"method":"query"}'],
        ['a path that is no text', '{"id":1,"method":"query","params":{"path":1}}'],
        ['an id that is an object', '{"id":{},"method":"query","params":{"path":"sessions.list","input":{}}}'],
        [
            'an id that is too long',
            `{"id":"${'x'.repeat(65)}","method":"query","params":{"path":"sessions.list","input":{}}}`,
        ],
        ['an empty object in a batch', '[{}]'],
        ['a batch of more than anybody has to say', `[${'0,'.repeat(400_000)}0]`],
    ])('%s is answered with a typed error, and the socket stays', async (_, text) => {
        const account = await createAccount(server);
        const { api, line } = connectWsLink(server, account, door);
        await api.sessions.list.query({});
        const before = line.received.length;
        line.sockets[0]?.send(text);
        await vi.waitUntil(() => line.received.length > before, { timeout: 5_000 });
        const { error } = JSON.parse(line.received[before] ?? '');
        expect(error.data).toEqual({ code: 'BAD_REQUEST', httpStatus: 400, error: 'VALIDATION_FAILED' });
        expect((await api.sessions.list.query({})).sessions).toEqual([]);
        expect(line.received).toHaveLength(before + 2);
        expect(line.sockets).toHaveLength(1);
    });

    it.each([
        ['nothing.here', 'NOT_FOUND'],
        ['__proto__', 'NOT_FOUND'],
        ['sessions.list', 'NOT_FOUND'],
    ])('a subscription to %s is %s', async (path, code) => {
        const account = await createAccount(server);
        const { api, line } = connectWsLink(server, account, door);
        await api.sessions.list.query({});
        const before = line.received.length;
        line.sockets[0]?.send(JSON.stringify({ id: 7, method: 'subscription', params: { path } }));
        await vi.waitUntil(() => line.received.length > before, { timeout: 5_000 });
        expect(JSON.parse(line.received[before] ?? '')).toMatchObject({ id: 7, error: { data: { error: code } } });
    });

    it('answers PING with PONG', async () => {
        const account = await createAccount(server);
        const { api, line } = connectWsLink(server, account, door);
        await api.sessions.list.query({});
        line.sockets[0]?.send('PING');
        expect(await vi.waitUntil(() => line.received.includes('PONG'), { timeout: 5_000 })).toBe(true);
    });
});

describe('an update that never comes', () => {
    it('is not waited for: every subscription, whatever its link, is told to start over', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const inputs = [{}, { scope: 'session' as const, id: sid }];
        const watched = [
            ...(await Promise.all(inputs.map((input) => connectWsLink(server, account, 'ticket').follow(input)))),
            ...(await Promise.all(
                inputs.map((input) => connectWsLink(server, account, 'connectionParams').follow(input)),
            )),
            ...(await Promise.all(inputs.map((input) => subscribe(server, account.token, input)))),
        ];
        // The second was lost on its way.
        const update = { id: 'u', seq: 3, body: { t: 'delete-session' as const, sid }, createdAt: Date.now() };
        const hub = server.env.ACCOUNT_HUB.getByName(account.id);
        await hub.publish({ seq: 3, updates: [{ update, to: { session: sid } }], ephemerals: [] });
        for (const one of watched) {
            await one.next(({ event }) => event === 'resync');
            expect(one.events).toEqual([{ id: '3', event: 'resync', data: { seq: 3 } }]);
        }
    });
});

describe('sleep', () => {
    /** The runtime puts an object to sleep after about ten seconds without an event. */
    const IDLE_MS = 12_500;

    it('a subscription outlives it, wherever its socket lives', async () => {
        const account = await createAccount(server);
        const put = () =>
            account.call('POST', '/v1/kv', { mutations: [{ key: crypto.randomUUID(), value: 'dg==', version: -1 }] });
        const seen = new WeakSet<object>();
        const instances = () =>
            Promise.all(
                (['ticket', 'connectionParams'] as const).map((door) =>
                    runInDurableObject(hostOf(account, door), (instance) => {
                        const isNew = !seen.has(instance);
                        seen.add(instance);
                        return isNew;
                    }),
                ),
            );
        const watched = [
            await connectWsLink(server, account, 'ticket').follow(),
            await connectWsLink(server, account, 'connectionParams').follow(),
        ];
        await put();
        for (const one of watched) await one.next(({ id }) => id === '1');
        // The gateway looks after five seconds who has not said whose they are, and would fall asleep that much later.
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 });
        await runDurableObjectAlarm(hostOf(account, 'connectionParams'));
        vi.useRealTimers();
        await instances();
        await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
        expect(await instances()).toEqual([true, true]);
        await put();
        for (const one of watched) {
            await one.next(({ id }) => id === '2');
            expect(ids(one)).toEqual(['1', '2']);
            expect(one.started).toBe(1);
        }
    });
});

describe('who may open a socket', () => {
    const open = async (query: string) => {
        const { webSocket } = await server.fetch(`/trpc?${query}`, { headers: { Upgrade: 'websocket' } });
        const got: string[] = [];
        const closed = new Promise<{ code: number; reason: string }>((resolve) => {
            webSocket?.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
        });
        webSocket?.addEventListener('message', ({ data }) => {
            got.push(data as string);
        });
        webSocket?.accept();
        return { socket: webSocket!, got, closed };
    };

    it.each(['', 'ticket=', 'ticket=x.y', 'token=x'])('?%s is closed with 4001', async (query) => {
        expect((await (await open(query)).closed).code).toBe(4001);
    });

    it('a ticket works once', async () => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/websocket/ticket');
        const query = `ticket=${encodeURIComponent(body.ticket)}`;
        const first = await open(query);
        expect((await (await open(query)).closed).code).toBe(4001);
        first.socket.send('{"id":1,"method":"query","params":{"path":"sessions.list","input":{}}}');
        await vi.waitUntil(() => first.got.length > 0, { timeout: 5_000 });
        first.socket.close(1000);
    });

    it.each([
        ['a bad token', '{"method":"connectionParams","data":{"token":"x"}}'],
        ['no token', '{"method":"connectionParams","data":null}'],
        ['a request first', '{"id":1,"method":"query","params":{"path":"sessions.list","input":{}}}'],
    ])('%s in connectionParams is told so, and closed', async (_, text) => {
        const { socket, got, closed } = await open('connectionParams=1');
        socket.send(text);
        expect((await closed).code).toBe(4001);
        expect(JSON.parse(got[0] ?? '')).toMatchObject({
            id: null,
            error: { data: { code: 'UNAUTHORIZED', httpStatus: 401 } },
        });
    });

    it('a foreign session in connectionParams is told so, and closed', async () => {
        const [account, stranger] = [await createAccount(server), await createAccount(server)];
        const { socket, got, closed } = await open('connectionParams=1');
        const data = { token: account.token, clientType: 'session-scoped', sessionId: await createSession(stranger) };
        socket.send(JSON.stringify({ method: 'connectionParams', data }));
        expect((await closed).code).toBe(4003);
        expect(JSON.parse(got[0] ?? '')).toMatchObject({ error: { data: { code: 'NOT_FOUND' } } });
    });
});

// Last, since its hub looks for the lost gateway later on, which would disturb the sleep above.
describe('a hub that cannot reach a gateway', () => {
    it('leaves no subscription there waiting: its socket closes, and it begins on the next one', async () => {
        const account = await createAccount(server);
        const { follow, watch, line } = connectWsLink(server, account, 'connectionParams');
        await follow();
        const mend = await cutOffGateways(account.id);
        const second = watch();
        await vi.waitUntil(() => line.closed.length > 0, { timeout: 8_000 });
        await mend();
        await vi.waitUntil(() => second.started > 0, { timeout: 8_000 });
        await createSession(account);
        await second.next(({ event }) => event === 'update');
        expect(kinds(second)).toEqual(['new-session']);
    });
});
