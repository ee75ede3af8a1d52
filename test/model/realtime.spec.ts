import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { renewHub } from '@test/helpers/hubs';
import { readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { settled } from '@test/helpers/socket';
import { seqOf } from '@test/helpers/updates';
import { checkComplete, checkStream, openDevice, reached } from '@test/model/device';
import type { Committed, Device } from '@test/model/device';
import { controlHubs } from '@test/model/hub-control';
import type { Fate } from '@test/model/hub-control';

// Nightly with new seeds each time, but no more of them: the test pool wraps a class once more for each instance of it,
// and after about a thousand its stack is full.
const RUNS = env.TEST_NIGHTLY ? { numRuns: 300 } : { numRuns: 200, seed: 20_260 };
const TIMEOUT_MS = env.TEST_NIGHTLY ? 1_200_000 : 900_000;

const control = controlHubs();
const server = startServer({ ACCOUNT_HUB: control.binding });
const clock = holdClock();

/** One account: what it has committed, what its devices know, and whether its hub may still be waiting for something. */
interface Home {
    account: TestAccount;
    sids: string[];
    committed: Committed[];
    /** By localId, as it was acknowledged. */
    messages: Map<string, { sid: string; id: string; seq: number }>;
    versions: Map<string, number>;
    devices: Device[];
    /** Devices that lost their socket. */
    away: Device[];
    /** Something was lost or held: until that is settled, devices may have to wait. */
    isUnsettled: boolean;
}

interface Model {
    homes: Home[];
}

type Command = fc.AsyncCommand<Model, object, boolean>;

async function createHome(): Promise<Home> {
    const account = await createAccount(server);
    const sids = [await createSession(account), await createSession(account)];
    const committed = sids.map((sid, i) => ({ seq: i + 1, sid }));
    const versions = new Map(sids.map((sid) => [sid, 1]));
    return { account, sids, committed, messages: new Map(), versions, devices: [], away: [], isUnsettled: false };
}

function at<T>(items: T[], index: number): T | undefined {
    return items[index % Math.max(items.length, 1)];
}

/** Notes an update of the account, whose seq follows from how many there were. */
function commit(home: Home, sid: string, skipped?: Device): void {
    home.committed.push({ seq: home.committed.length + 1, sid, ...(skipped && { skipped }) });
}

async function withFate(home: Home, fate: Fate, write: () => Promise<void>): Promise<void> {
    control.fate = fate;
    try {
        await write();
    } finally {
        control.fate = 'pass';
    }
    if (fate !== 'pass') home.isUnsettled = true;
}

/** Every promise, after each step. */
async function check({ homes }: Model): Promise<void> {
    for (const home of homes) {
        if (home.devices.length > 0)
            await settled(
                home.account,
                home.devices.map(({ socket }) => socket),
            );
        for (const device of [...home.devices, ...home.away]) checkStream(device, home.committed);
        if (!home.isUnsettled) for (const device of home.devices) checkComplete(device, home.committed);
        checkSameOrder(home);
    }
}

/** P3: what has a seq is the same update on every device. */
function checkSameOrder({ devices, away }: Home): void {
    const seen = new Map<number, string>();
    for (const { socket, resumed } of [...devices, ...away]) {
        for (const update of [...socket.updates(), ...resumed]) {
            const text = JSON.stringify(update);
            expect(seen.get(update.seq) ?? text).toBe(text);
            seen.set(update.seq, text);
        }
    }
}

function command(name: string, run: (model: Model) => Promise<void>): Command {
    return {
        check: () => true,
        toString: () => name,
        async run(model) {
            await run(model);
            await check(model);
        },
    };
}

/** Appends by REST, which tells everybody; P1 and P4 on the way. */
const append = (who: number, session: number, count: number, fate: Fate) =>
    command(`append ${count} to session ${session} of ${who}, ${fate}`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const sid = at(home.sids, session) as string;
        const messages = Array.from({ length: count }, () => ({ localId: crypto.randomUUID(), content: 'c' }));
        await withFate(home, fate, async () => {
            const { status, body } = await home.account.call('POST', `/v3/sessions/${sid}/messages`, { messages });
            expect(status).toBe(200);
            for (const { localId, id, seq } of body.messages) home.messages.set(localId, { sid, id, seq });
        });
        for (const _ of messages) commit(home, sid);
        const after = (await home.account.call('GET', `/v1/sessions/${sid}/messages`)).body.messages;
        expect(
            after
                .slice(0, count)
                .map(({ localId }: { localId: string }) => localId)
                .toReversed(),
        ).toEqual(messages.map(({ localId }) => localId));
    });

/** The database commits, but its answer is lost: the client tries again, and the hub was never told (P1, P9). */
const appendThroughFault = (who: number, session: number) =>
    command(`append to session ${session} of ${who} through a fault`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const sid = at(home.sids, session) as string;
        const body = { messages: [{ localId: crypto.randomUUID(), content: 'c' }] };
        const path = `/v3/sessions/${sid}/messages`;
        server.db.failNext('after');
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        const failed = await home.account.call('POST', path, body);
        log.mockRestore();
        expect(failed.status).toBe(503);
        home.isUnsettled = true;
        commit(home, sid);
        const again = await home.account.call('POST', path, body);
        const [{ localId, id, seq }] = again.body.messages;
        home.messages.set(localId, { sid, id, seq });
    });

/** Sends by socket, whose device is left out. */
const send = (who: number, which: number) =>
    command(`send from device ${which} of ${who}`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const device = at(home.devices, which);
        if (!device) return;
        const sid = device.sid ?? home.sids[0] ?? '';
        const localId = crypto.randomUUID();
        const ack = await device.socket.request('message', { sid, message: 'm', localId });
        expect(ack).toMatchObject({ result: 'success' });
        home.messages.set(localId, { sid, id: ack.id, seq: ack.seq });
        commit(home, sid, device);
    });

/** P1: a message that is sent again is the same message, and nobody hears of it again. */
const repeat = (who: number, which: number) =>
    command(`repeat message ${which} of ${who}`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const known = at([...home.messages], which);
        if (!known) return;
        const [localId, { sid, id, seq }] = known;
        const { body } = await home.account.call('POST', `/v3/sessions/${sid}/messages`, {
            messages: [{ localId, content: 'other' }],
        });
        expect(body.messages).toMatchObject([{ id, seq }]);
    });

/** P7: of three writers with one expected version one wins, and the others get its value. */
const race = (who: number, session: number, fate: Fate) =>
    command(`race for the metadata of session ${session} of ${who}, ${fate}`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const sid = at(home.sids, session) as string;
        const expectedVersion = home.versions.get(sid) as number;
        await withFate(home, fate, async () => {
            const bodies = await Promise.all(
                ['a', 'b', 'c'].map(async (metadata) => {
                    const { body } = await home.account.call('PUT', `/v1/sessions/${sid}/metadata`, {
                        metadata,
                        expectedVersion,
                    });
                    return body as { result: string; version: number; metadata: string };
                }),
            );
            expect(bodies.filter(({ result }) => result === 'success')).toHaveLength(1);
            expect(new Set(bodies.map(({ version, metadata }) => `${version} ${metadata}`)).size).toBe(1);
        });
        home.versions.set(sid, expectedVersion + 1);
        commit(home, sid);
    });

const connect = (who: number, session: number | null, host: 'hub' | 'gateway') =>
    command(
        `connect ${who} to ${session === null ? 'everything' : `session ${session}`} in the ${host}`,
        async ({ homes }) => {
            const home = at(homes, who) as Home;
            if (home.devices.length >= 5) return;
            const sid = session === null ? undefined : at(home.sids, session);
            home.devices.push(await openDevice(server, home.account, { sid, host }));
        },
    );

const drop = (who: number, which: number) =>
    command(`drop device ${which} of ${who}`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const device = at(home.devices, which);
        if (!device) return;
        device.socket.close();
        await device.socket.untilClosed();
        home.devices = home.devices.filter((other) => other !== device);
        home.away.push(device);
    });

/** A device comes back, and says how far it is. */
const reconnect = (who: number, which: number) =>
    command(`reconnect device ${which} of ${who}`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const device = at(home.away, which);
        if (!device) return;
        const back = await openDevice(server, home.account, {
            sid: device.sid,
            host: device.host,
            since: reached(device),
        });
        home.away = home.away.filter((other) => other !== device);
        home.devices.push(back);
    });

/** Accounts that the gateway takes for its own, until it has told their hubs that their sockets are gone. */
function registered(): Promise<string[]> {
    return runInDurableObject(env.SOCKET_GATEWAY.getByName('gateway-0'), (_, { storage }) =>
        storage.sql
            .exec<{ id: string }>('SELECT id FROM RegisteredAccount ORDER BY id')
            .toArray()
            .map(({ id }) => id),
    );
}

/** Every object dies at once, with every socket (P9). */
const crash = () =>
    command('crash', async ({ homes }) => {
        // The test pool waits for ever for work that a crash has cut off, so there is none at that moment.
        const present = homes.filter(({ devices }) => devices.some(({ host }) => host === 'gateway'));
        await expect.poll(registered, { timeout: 10_000 }).toEqual(present.map(({ account }) => account.id).toSorted());
        await new Promise((resolve) => setTimeout(resolve, 20));
        await abortAllDurableObjects();
        for (const home of homes) {
            await Promise.all(home.devices.map(({ socket }) => socket.untilClosed()));
            home.away.push(...home.devices.splice(0));
        }
    });

/** A hub forgets what is in memory only; with its last update just out, it has to fear for what a gateway got (P6). */
const evict = (who: number) =>
    command(`evict the hub of ${who}`, async ({ homes }) => renewHub((at(homes, who) as Home).account.id));

/** Publications that were held come through, the last one first. */
const release = (who: number) =>
    command(`release what was held for ${who}`, async ({ homes }) => {
        await control.release((at(homes, who) as Home).account.id);
    });

/** Held publications arrive, the hub hears how far the account is, and its patience ends: then everybody knows. */
const settle = (who: number) => command(`settle ${who}`, async ({ homes }) => settleHome(at(homes, who) as Home));

async function settleHome(home: Home): Promise<void> {
    const { account } = home;
    await control.release(account.id);
    const seq = await seqOf(server, account);
    expect(seq).toBe(home.committed.length);
    await env.ACCOUNT_HUB.getByName(account.id).publish({ seq, updates: [], ephemerals: [] });
    clock.advance(2_000);
    await runDurableObjectAlarm(env.ACCOUNT_HUB.getByName(account.id));
    home.isUnsettled = false;
}

/** A device asks for what it missed: exactly that, in order, or that it has to start over (P5). */
async function resume(home: Home, device: Device): Promise<void> {
    const from = reached(device);
    const ack = await device.socket.request('request-updates-since', { seq: from });
    if (!ack.success) return expect(ack).toEqual({ success: false, error: 'resync-required' });
    const expected = home.committed.filter(
        ({ seq, sid }) => seq > from && (device.sid === undefined || device.sid === sid),
    );
    expect(ack.updates.map(({ seq }: { seq: number }) => seq)).toEqual(expected.map(({ seq }) => seq));
    expect(ack).toMatchObject({ seq: home.committed.length, hasMore: false });
    device.resumed.push(...ack.updates);
}

const resumeOne = (who: number, which: number) =>
    command(`resume device ${which} of ${who}`, async ({ homes }) => {
        const home = at(homes, who) as Home;
        const device = at(home.devices, which);
        // A hub that waits for a gap waits by the clock, which stands still here.
        if (device && !home.isUnsettled) await resume(home, device);
    });

/** In the end everybody is back and knows everything, and the messages are numbered 1, 2, 3 … (P2). */
async function finish({ homes }: Model): Promise<void> {
    for (const home of homes) {
        await settleHome(home);
        for (const device of home.away.splice(0)) {
            const since = reached(device);
            home.devices.push(await openDevice(server, home.account, { sid: device.sid, host: device.host, since }));
        }
    }
    await check({ homes });
    for (const home of homes) {
        for (const device of home.devices) await resume(home, device);
        for (const sid of home.sids) {
            const stored = await readAll(home.account, sid);
            expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1));
            const acknowledged = [...home.messages.values()].filter((message) => message.sid === sid);
            expect(acknowledged.map(({ id, seq }) => `${seq} ${id}`).toSorted()).toEqual(
                stored.map(({ id, seq }) => `${seq} ${id}`).toSorted(),
            );
        }
        for (const { socket } of home.devices) socket.close();
        await Promise.all(home.devices.map(({ socket }) => socket.untilClosed()));
    }
}

const who = fc.nat({ max: 1 });
const which = fc.nat({ max: 9 });
const fate = fc.constantFrom<Fate>('pass', 'pass', 'pass', 'drop', 'hold', 'hold');
const host = fc.constantFrom<'hub' | 'gateway'>('hub', 'gateway');
const commands = fc.commands(
    [
        fc.tuple(who, which, fc.integer({ min: 1, max: 3 }), fate).map((args) => append(...args)),
        fc.tuple(who, which, fate).map((args) => race(...args)),
        fc.tuple(who, which).map((args) => appendThroughFault(...args)),
        fc.tuple(who, which).map((args) => send(...args)),
        fc.tuple(who, which).map((args) => repeat(...args)),
        fc.tuple(who, fc.option(which), host).map((args) => connect(...args)),
        fc.tuple(who, fc.option(which), host).map((args) => connect(...args)),
        fc.tuple(who, which).map((args) => drop(...args)),
        fc.tuple(who, which).map((args) => reconnect(...args)),
        fc.tuple(who, which).map((args) => reconnect(...args)),
        fc.tuple(who, which).map((args) => resumeOne(...args)),
        who.map((home) => release(home)),
        who.map((home) => settle(home)),
        fc.constant(crash()),
        who.map((home) => evict(home)),
    ],
    { size: 'medium', maxCommands: 20 },
);

describe('whatever happens', () => {
    it('P1 to P9 hold after each step', { timeout: TIMEOUT_MS }, async () => {
        const histories = fc.asyncProperty(commands, async (steps) => {
            const model = { homes: [await createHome(), await createHome()] };
            await fc.asyncModelRun(() => ({ model, real: {} }), steps);
            await finish(model);
        });
        await expect(fc.assert(histories, RUNS)).resolves.toBeUndefined();
    });
});
