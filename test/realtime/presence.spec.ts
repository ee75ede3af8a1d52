import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import type { DatabaseProbe } from '@test/helpers/database';
import { probeDatabase } from '@test/helpers/database';
import { startServer } from '@test/helpers/server';
import type { TestSocket } from '@test/helpers/socket';
import { connect, settled } from '@test/helpers/socket';

const server = startServer();
const clock = holdClock();
const MINUTE = 60_000;

let account: TestAccount;
let app: TestSocket;
/** The database as the account's hub sees it. */
let db: DatabaseProbe;

beforeEach(async () => {
    account = await createAccount(server);
    db = await probeHub(account.id);
    app = await connect(server, account);
});

/** Has the hub use a counted database. */
async function probeHub(accountId: string): Promise<DatabaseProbe> {
    const probe = probeDatabase(env.DB);
    await runInDurableObject(env.ACCOUNT_HUB.getByName(accountId), (hub) => {
        (hub as unknown as { env: typeof env }).env = { ...env, DB: probe.binding };
    });
    return probe;
}

/** What the app was told since it was last asked. */
async function heard() {
    await settled(account, [app]);
    return app.frames.splice(0).flatMap(({ event, data }) => (event === 'ephemeral' ? [data] : []));
}

async function facts(table: 'Session' | 'Machine', id: string) {
    const row = await env.DB.prepare(`SELECT active, lastActiveAt FROM ${table} WHERE id = ? AND accountId = ?`)
        .bind(id, account.id)
        .first<{ active: number; lastActiveAt: number }>();
    return row;
}

function alarmAt() {
    return runInDurableObject(env.ACCOUNT_HUB.getByName(account.id), (_, state) => state.storage.getAlarm());
}

async function ring() {
    await runDurableObjectAlarm(env.ACCOUNT_HUB.getByName(account.id));
}

const activity = (sid: string, active: boolean, thinking = false) => ({
    type: 'activity',
    id: sid,
    sid,
    active,
    activeAt: expect.any(Number),
    thinking,
});

describe('heartbeats of a session', () => {
    let sid: string;
    let cli: TestSocket;
    const beat = (data: object = {}) => cli.request('session-alive', { sid, time: Date.now(), ...data });

    beforeEach(async () => {
        sid = await createSession(account);
        cli = await connect(server, account, { clientType: 'session-scoped', sessionId: sid });
        await heard();
    });

    it('cost nothing but one write in thirty seconds', async () => {
        clock.advance(MINUTE);
        await beat();
        const [trips, rows] = [db.roundTrips, db.rowsWritten];
        for (let seconds = 2; seconds < 30; seconds += 2) {
            clock.advance(2_000);
            await beat();
        }
        expect([db.roundTrips, db.rowsWritten]).toEqual([trips, rows]);
        clock.advance(2_000);
        await beat();
        expect(db.roundTrips).toBe(trips + 1);
        expect(await facts('Session', sid)).toEqual({ active: 1, lastActiveAt: Date.now() });
    });

    it('from several sockets are one write in thirty seconds all the same', async () => {
        const other = await connect(server, account, { clientType: 'session-scoped', sessionId: sid });
        clock.advance(MINUTE);
        await beat();
        const rows = db.rowsWritten;
        await other.request('session-alive', { sid, time: Date.now() });
        expect(db.rowsWritten).toBe(rows);
    });

    it('are told on a change, else once a minute', async () => {
        await beat();
        expect(await heard()).toEqual([activity(sid, true)]);
        for (let seconds = 2; seconds < 60; seconds += 2) {
            clock.advance(2_000);
            await beat();
        }
        expect(await heard()).toEqual([]);
        clock.advance(2_000);
        await beat();
        expect(await heard()).toEqual([activity(sid, true)]);
        await beat({ thinking: true });
        await beat({ thinking: true });
        await beat({ thinking: false });
        expect(await heard()).toEqual([activity(sid, true, true), activity(sid, true, false)]);
    });

    it('reach apps only, not the session itself', async () => {
        await beat();
        await settled(account, [cli]);
        expect(cli.ephemerals()).toEqual([]);
    });

    it('from the future count as now, from long ago not at all', async () => {
        clock.advance(MINUTE);
        await beat({ time: Date.now() + 1_000_000 });
        expect(await facts('Session', sid)).toEqual({ active: 1, lastActiveAt: Date.now() });
        await heard();
        clock.advance(2 * MINUTE);
        const before = db.roundTrips;
        for (const time of [Date.now() - 10 * MINUTE - 1, 0, -1e15]) await beat({ time });
        expect(db.roundTrips).toBe(before);
        expect(await heard()).toEqual([]);
        expect(await beat({ time: 'now' })).toEqual({ result: 'error', message: 'Invalid parameters' });
    });

    it('do not revive a session that was stopped, for a minute', async () => {
        await beat();
        await account.call('DELETE', `/v1/sessions/${sid}`);
        expect((await heard()).at(-1)).toEqual(activity(sid, false));
        clock.advance(MINUTE - 1);
        await beat();
        expect(await heard()).toEqual([]);
        expect(await facts('Session', sid)).toMatchObject({ active: 0 });
        clock.advance(1);
        await beat();
        expect(await heard()).toEqual([activity(sid, true)]);
        expect(await facts('Session', sid)).toMatchObject({ active: 1 });
    });

    it('do not revive a session that was ended by its own socket, nor through another one', async () => {
        await beat();
        await cli.request('session-end', { sid, time: Date.now() });
        await heard();
        const other = await connect(server, account, { clientType: 'session-scoped', sessionId: sid });
        await other.request('session-alive', { sid, time: Date.now() });
        await beat();
        expect(await heard()).toEqual([]);
        expect(await facts('Session', sid)).toMatchObject({ active: 0 });
    });

    it('never revive a session that was archived', async () => {
        await beat();
        await account.call('POST', `/v1/sessions/${sid}/archive`, {});
        await heard();
        for (let minutes = 0; minutes < 5; minutes++) {
            clock.advance(MINUTE);
            await beat();
        }
        expect(await heard()).toEqual([]);
        expect(await facts('Session', sid)).toMatchObject({ active: 0 });
    });

    it('do not make a session look alive that is stopped while the database is asked', async () => {
        clock.advance(MINUTE);
        // The stop commits and is told after the heartbeat has asked, and before it hears.
        const stop = vi.fn(() => account.call('DELETE', `/v1/sessions/${sid}`));
        await runInDurableObject(env.ACCOUNT_HUB.getByName(account.id), (hub) => {
            const real = env.DB;
            const late = {
                prepare: (text: string) => real.prepare(text),
                async batch(list: D1PreparedStatement[]) {
                    const answer = await real.batch(list);
                    if (stop.mock.calls.length === 0) await stop();
                    return answer;
                },
            };
            (hub as unknown as { env: unknown }).env = { ...env, DB: late };
        });
        await beat();
        clock.advance(2_000);
        await beat();
        expect(stop).toHaveBeenCalledOnce();
        // Of the two writes the stop came last: so must its news.
        expect((await heard()).at(-1)).toEqual(activity(sid, false));
        expect(await facts('Session', sid)).toMatchObject({ active: 0 });
    });

    it("for somebody else's session are ignored, and say no more than for one that is missing", async () => {
        const stranger = await createAccount(server);
        const theirs = await createSession(stranger);
        const before = await env.DB.prepare('SELECT * FROM Session WHERE id = ?').bind(theirs).first();
        clock.advance(MINUTE);
        const answers = [await beat({ sid: theirs }), await beat({ sid: 'missing' })];
        expect(answers).toEqual([{ result: 'success' }, { result: 'success' }]);
        expect(await heard()).toEqual([]);
        expect(await env.DB.prepare('SELECT * FROM Session WHERE id = ?').bind(theirs).first()).toEqual(before);
        expect(db.rowsWritten).toBe(0);
    });

    it('of twenty sessions on one socket cost no more each', async () => {
        const sids = [];
        for (let i = 0; i < 20; i++) sids.push(await createSession(account));
        for (const one of sids) await beat({ sid: one });
        expect(await heard()).toEqual(sids.map((one) => activity(one, true)));
        clock.advance(2_000);
        const before = db.roundTrips;
        for (const one of sids) await beat({ sid: one });
        expect(db.roundTrips).toBe(before);
        expect(await heard()).toEqual([]);
    });

    it('of many objects on one socket stay within its attachment', async () => {
        for (let i = 0; i < 40; i++) await beat({ sid: `${i}`.padEnd(128, 'x') });
        expect(await beat()).toEqual({ result: 'success' });
    });
});

describe('a machine', () => {
    const status = (machineId: string, online: boolean) => [
        { type: 'machine-activity', id: machineId, machineId, active: online, activeAt: expect.any(Number) },
        { type: 'machine-status', machineId, online, timestamp: expect.any(Number) },
    ];
    let machineId: string;
    const open = (host: 'hub' | 'gateway') =>
        connect(server, account, { host, clientType: 'machine-scoped', machineId });

    beforeEach(async () => {
        machineId = await createMachine(account);
        await heard();
    });

    it('is online from its first socket to its last, wherever they are', async () => {
        const first = await open('hub');
        await expect.poll(heard).toEqual(status(machineId, true));
        expect(await facts('Machine', machineId)).toEqual({ active: 1, lastActiveAt: Date.now() });
        const second = await open('gateway');
        first.close();
        await first.untilClosed();
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(await heard()).toEqual([]);
        expect(await facts('Machine', machineId)).toMatchObject({ active: 1 });
        second.close();
        await expect.poll(heard).toEqual(status(machineId, false));
        expect(await facts('Machine', machineId)).toMatchObject({ active: 0 });
    });

    it('that changes sockets at once ends up online', async () => {
        let socket = await open('hub');
        for (let i = 0; i < 10; i++) {
            socket.close();
            socket = await open(i % 2 === 0 ? 'gateway' : 'hub');
        }
        await new Promise((resolve) => setTimeout(resolve, 300));
        await expect.poll(() => facts('Machine', machineId)).toMatchObject({ active: 1 });
        const statuses = (await heard()).filter(({ type }) => type === 'machine-status');
        expect(statuses.at(-1)).toMatchObject({ online: true });
    });

    it('is kept alive by heartbeats, without a write each', async () => {
        const daemon = await open('hub');
        await expect.poll(heard).toEqual(status(machineId, true));
        clock.advance(MINUTE);
        await daemon.request('machine-alive', { machineId, time: Date.now() });
        expect(await facts('Machine', machineId)).toEqual({ active: 1, lastActiveAt: Date.now() });
        expect(await heard()).toEqual([status(machineId, true)[0]]);
        const rows = db.rowsWritten;
        clock.advance(20_000);
        await daemon.request('machine-alive', { machineId, time: Date.now() });
        expect(db.rowsWritten).toBe(rows);
    });

    it('of the same id in another account is another machine', async () => {
        const stranger = await createAccount(server);
        await createMachine(stranger, machineId);
        await connect(server, stranger, { clientType: 'machine-scoped', machineId });
        expect(await heard()).toEqual([]);
        expect(await facts('Machine', machineId)).toMatchObject({ active: 0 });
    });

    it('that is deleted while its socket is open leaves without a word', async () => {
        const daemon = await open('hub');
        await expect.poll(heard).toEqual(status(machineId, true));
        await account.call('DELETE', `/v1/machines/${machineId}`);
        daemon.close();
        await daemon.untilClosed();
        expect(await heard()).toEqual([]);
    });
});

describe('the sweep', () => {
    it('ends what has been silent for ten minutes, and rests when nothing is active', async () => {
        const sid = await createSession(account);
        const machineId = await createMachine(account);
        await account.call('PUT', `/v1/machines/${machineId}/status`, { active: true });
        await heard();
        expect(await alarmAt()).toBe(Date.now() + 10 * MINUTE);
        clock.advance(10 * MINUTE - 1);
        await ring();
        expect(await heard()).toEqual([]);
        expect(await alarmAt()).toBe(Date.now() + 1);
        clock.advance(1);
        await ring();
        expect(await heard()).toEqual([
            activity(sid, false),
            { type: 'machine-activity', id: machineId, machineId, active: false, activeAt: expect.any(Number) },
            { type: 'machine-status', machineId, online: false, timestamp: Date.now() },
        ]);
        expect(await facts('Session', sid)).toMatchObject({ active: 0 });
        expect(await facts('Machine', machineId)).toMatchObject({ active: 0 });
        expect(await alarmAt()).toBeNull();
    });

    it('comes again for what is still alive', async () => {
        const sid = await createSession(account);
        clock.advance(4 * MINUTE);
        const other = await createSession(account);
        await heard();
        clock.advance(6 * MINUTE);
        await ring();
        expect(await heard()).toEqual([activity(sid, false)]);
        expect(await alarmAt()).toBe(Date.now() + 4 * MINUTE);
        clock.advance(4 * MINUTE);
        await ring();
        expect(await heard()).toEqual([activity(other, false)]);
        expect(await alarmAt()).toBeNull();
    });

    it('is called off once the last active object has ended', async () => {
        const [sid, other] = [await createSession(account), await createSession(account)];
        await account.call('DELETE', `/v1/sessions/${sid}`);
        clock.advance(1_000);
        await ring();
        await expect.poll(alarmAt).toBe(Date.now() - 1_000 + 10 * MINUTE);
        await account.call('POST', `/v1/sessions/${other}/archive`, {});
        clock.advance(1_000);
        await ring();
        await expect.poll(alarmAt).toBeNull();
        await heard();
    });

    it('that the database refuses is tried again', async () => {
        const sid = await createSession(account);
        await heard();
        clock.advance(10 * MINUTE);
        db.failNext('before');
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        await ring();
        expect(log).toHaveBeenCalled();
        log.mockRestore();
        expect(await alarmAt()).toBe(Date.now() + 10_000);
        clock.advance(10_000);
        await ring();
        expect(await heard()).toEqual([activity(sid, false)]);
        expect(await alarmAt()).toBeNull();
    });
});

describe('an app in the foreground', () => {
    it.each(['hub', 'gateway'] as const)('is known while its socket says so, in the %s', async (host) => {
        const hub = env.ACCOUNT_HUB.getByName(account.id);
        const phone = await connect(server, account, { host });
        expect(await hub.isAppActive()).toBe(false);
        await phone.request('app-state', { state: 'active' });
        expect(await hub.isAppActive()).toBe(true);
        await phone.request('app-state', { state: 'background' });
        expect(await hub.isAppActive()).toBe(false);
        await phone.request('app-state', { state: 'active' });
        phone.close();
        await expect.poll(() => hub.isAppActive()).toBe(false);
    });

    it('is never a session or machine', async () => {
        const sessionId = await createSession(account);
        const cli = await connect(server, account, { clientType: 'session-scoped', sessionId });
        await cli.request('app-state', { state: 'active' });
        expect(await env.ACCOUNT_HUB.getByName(account.id).isAppActive()).toBe(false);
    });
});
