import { describe, expect, it, vi } from 'vitest';
import { createAdmission } from '@/realtime/admission';
import { createHubs } from '@/realtime/publish';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { subscribe } from '@test/helpers/sse';
import type { TestSubscription } from '@test/helpers/sse';

const server = startServer();
const seqOf = (account: TestAccount) =>
    server.env.DB.prepare('SELECT seq FROM Account WHERE id = ?').bind(account.id).first<number>('seq');
const kinds = ({ events }: TestSubscription) => events.map(({ event, data }) => data.body?.t ?? data.type ?? event);
const say = (account: TestAccount, sid: string) =>
    account.call('POST', `/v1/sessions/${sid}/messages`, { content: 'x' });
const sockets = async (account: TestAccount) =>
    (await server.env.ACCOUNT_HUB.getByName(account.id).stats()).totalConnections;

describe('scopes', () => {
    it('user: every event of the account, with the seq reached as its id', async () => {
        const account = await createAccount(server);
        const subscription = await subscribe(server, account.token);
        const sid = await createSession(account);
        await say(account, sid);
        await account.call('POST', `/v1/sessions/${sid}/archive`, {});
        await subscription.next(({ event }) => event === 'ephemeral');
        expect(kinds(subscription)).toEqual(['new-session', 'new-message', 'activity']);
        expect(subscription.events.map(({ id }) => id)).toEqual(['1', '2', '2']);
        subscription.unsubscribe();
    });

    it("session and machine: what concerns them, and nobody else's", async () => {
        const account = await createAccount(server);
        const [sid, other] = [await createSession(account), await createSession(account)];
        const machine = await createMachine(account);
        const [ofSession, ofMachine] = [
            await subscribe(server, account.token, { scope: 'session', id: sid }),
            await subscribe(server, account.token, { scope: 'machine', id: machine }),
        ];
        await say(account, other);
        await say(account, sid);
        await account.call('PUT', `/v1/machines/${machine}/status`, { metadata: 'bQ==' });
        await ofMachine.next(({ event }) => event === 'update');
        await ofSession.next(({ event }) => event === 'update');
        expect(kinds(ofSession)).toEqual(['new-message']);
        expect(ofSession.events[0]?.data.body.sid).toBe(sid);
        expect(kinds(ofMachine)).toEqual(['update-machine']);
        const { body } = await account.call('GET', `/v1/machines/${machine}`);
        expect(body.machine.active, 'a reader is not the machine').toBe(false);
    });

    it.each([
        ['session', 'Session not found'],
        ['machine', 'Machine not found'],
    ] as const)('a %s that is unknown or of another account is NOT_FOUND alike', async (scope, message) => {
        const [account, stranger] = [await createAccount(server), await createAccount(server)];
        const foreign = scope === 'session' ? await createSession(stranger) : await createMachine(stranger);
        for (const id of [foreign, crypto.randomUUID()]) {
            const { error, started } = await subscribe(server, account.token, { scope, id });
            expect(error?.data).toMatchObject({ code: 'NOT_FOUND', error: 'NOT_FOUND', httpStatus: 404 });
            expect(error?.message).toBe(message);
            expect(started).toBeLessThanOrEqual(1);
        }
    });

    it('a scope without its id is refused as bad input', async () => {
        const account = await createAccount(server);
        const { error } = await subscribe(server, account.token, { scope: 'session' });
        expect(error?.data).toMatchObject({ error: 'VALIDATION_FAILED', issues: [{ path: 'id' }] });
    });
});

describe('authentication', () => {
    it.each([undefined, 'x.y.z'])('without a good token (%s) ends with UNAUTHORIZED', async (token) => {
        const { error } = await subscribe(server, token);
        expect(error?.data).toMatchObject({ code: 'UNAUTHORIZED', error: 'UNAUTHORIZED', httpStatus: 401 });
    });

    it('a token in the URL counts for nothing', async () => {
        const { token } = await createAccount(server);
        const params = encodeURIComponent(JSON.stringify({ token, Authorization: `Bearer ${token}` }));
        const answer = await server.fetch(`/trpc/realtime.updates?connectionParams=${params}&token=${token}`, {
            headers: { Accept: 'text/event-stream' },
        });
        expect(await answer.text()).toContain('UNAUTHORIZED');
    });

    it.each(['logout', 'logout-all'])('%s ends the stream with a typed error', async (path) => {
        const account = await createAccount(server);
        const subscription = await subscribe(server, account.token);
        await account.call('POST', `/v1/auth/${path}`);
        const error = await subscription.untilFailed();
        expect(error.data).toMatchObject({ code: 'UNAUTHORIZED', error: 'UNAUTHORIZED' });
        expect(await sockets(account)).toBe(0);
    });
});

describe('coming back', () => {
    it('after a cut brings what was missed, in order, once', async () => {
        const account = await createAccount(server);
        const subscription = await subscribe(server, account.token);
        const sid = await createSession(account);
        await subscription.next(({ id }) => id === '1');
        subscription.cut();
        for (let i = 0; i < 5; i += 1) await say(account, sid);
        await subscription.untilStarted(2);
        await say(account, sid);
        await subscription.next(({ id }) => id === '7');
        expect(subscription.events.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    });

    it('after a cut before the first event misses nothing either', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const subscription = await subscribe(server, account.token);
        subscription.cut();
        await say(account, sid);
        await subscription.next(({ id }) => id === '2');
        expect(kinds(subscription)).toEqual(['new-message']);
        expect(subscription.beginnings, 'an id of its own, for clients that open a new stream').toEqual(['1']);
    });

    it('with lastEventId in the input, too', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        await say(account, sid);
        await say(account, sid);
        const subscription = await subscribe(server, account.token, { lastEventId: '1' });
        await subscription.next(({ id }) => id === '3');
        expect(subscription.events.map(({ id }) => id)).toEqual(['2', '3']);
    });

    it.each(['999', 'nonsense', '-1', '1.5', '1e3'])(
        'with the last event id %s, not to be honoured: resync first',
        async (lastEventId) => {
            const account = await createAccount(server);
            const sid = await createSession(account);
            const subscription = await subscribe(server, account.token, { lastEventId });
            await say(account, sid);
            await subscription.next(({ event }) => event === 'update');
            expect(subscription.events.map(({ id, event }) => ({ id, event }))).toEqual([
                { id: '1', event: 'resync' },
                { id: '2', event: 'update' },
            ]);
            expect(subscription.events[0]?.data).toEqual({ seq: 1 });
        },
    );

    it('a database that fails just then leads to one more try', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const subscription = await subscribe(server, account.token);
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        server.db.failNext('before');
        subscription.cut();
        await vi.waitUntil(() => log.mock.calls.length > 0, { timeout: 5_000 });
        log.mockRestore();
        await say(account, sid);
        await subscription.next(({ event }) => event === 'update');
        expect(subscription.error).toBeUndefined();
        expect(kinds(subscription)).toEqual(['new-message']);
    });

    it('a hub that closes leads to a reconnect, not to the end', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const subscription = await subscribe(server, account.token);
        await say(account, sid);
        await subscription.next(({ id }) => id === '2');
        const hub = server.env.ACCOUNT_HUB.getByName(account.id);
        const { runInDurableObject } = await import('cloudflare:test');
        await runInDurableObject(hub, (_, state) =>
            state.getWebSockets().forEach((socket) => socket.close(1012, 'Restart')),
        );
        await subscription.untilStarted(2);
        await say(account, sid);
        await subscription.next(({ id }) => id === '3');
        expect(subscription.error).toBeUndefined();
        expect(subscription.events.map(({ id }) => id)).toEqual(['2', '3']);
    });
});

describe('letting go', () => {
    it('a reader that leaves closes its socket at the hub', async () => {
        const account = await createAccount(server);
        const subscription = await subscribe(server, account.token);
        expect(await sockets(account)).toBe(1);
        subscription.unsubscribe();
        await vi.waitUntil(async () => (await sockets(account)) === 0, { timeout: 5_000 });
    });

    it('a stream whose Worker has gone without a word is dropped, one that is still read is not', async () => {
        vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.now() - 200_000 });
        const account = await createAccount(server);
        const read = await subscribe(server, account.token);
        const caller = { accountId: account.id, tokenId: crypto.randomUUID(), issuedAt: 0 };
        const silent = createAdmission('sse', caller, { clientType: 'user-scoped' }, 0);
        (await createHubs(server.env.ACCOUNT_HUB).follow(silent)).accept();
        await vi.advanceTimersByTimeAsync(31_000);
        vi.useRealTimers();
        // Pings are noted by the runtime's own clock.
        await vi.waitUntil(async () => (await sockets(account)) === 1, { timeout: 5_000 });
        await createSession(account);
        await read.next(({ event }) => event === 'update');
        expect(read.started).toBe(1);
        read.unsubscribe();
    });

    it('costs one round trip to the database, and writes nothing', async () => {
        const account = await createAccount(server);
        await seqOf(account);
        await account.call('GET', '/v1/account');
        server.db.roundTrips = server.db.rowsWritten = 0;
        const subscription = await subscribe(server, account.token);
        expect(server.db).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
        subscription.unsubscribe();
    });

    it('past the limit of open sockets is told so', async () => {
        const account = await createAccount(server);
        const open = await Promise.all(Array.from({ length: 100 }, () => subscribe(server, account.token)));
        const { error } = await subscribe(server, account.token);
        expect(error?.data).toMatchObject({ code: 'TOO_MANY_REQUESTS', error: 'RATE_LIMITED' });
        for (const subscription of open) subscription.unsubscribe();
    });
});
