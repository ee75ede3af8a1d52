import { env } from 'cloudflare:workers';
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AccountHub } from '@/realtime/hub';
import type { Peers } from '@/realtime/peers';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { cutOffGateways, interceptGateways, renew } from '@test/helpers/hubs';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { bearer, connect, openSocket, settled } from '@test/helpers/socket';

const server = startServer();
const clock = holdClock();

let account: TestAccount;
beforeEach(async () => {
    account = await createAccount(server);
});

const hub = () => env.ACCOUNT_HUB.getByName(account.id);
const gateway = () => env.SOCKET_GATEWAY.getByName('gateway-0');
const total = async () => (await account.call('GET', '/v1/websocket/stats')).body.totalConnections;

/** Until nothing is under way: the test pool waits for ever for work that a crash has cut off. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 1_000));

/** Runs something inside the hub, with its own bindings. */
function inHub<T>(run: (instance: AccountHub & { env: typeof env }) => T | Promise<T>): Promise<T> {
    return runInDurableObject(hub(), (instance) => run(instance as never));
}

/** Registers sockets that the gateway does not hold, as those are that it lost without a word. */
function addGhosts(count: number): Promise<void> {
    return inHub((instance) => {
        const { peers } = instance as unknown as { peers: Peers };
        for (let i = 0; i < count; i++) {
            peers.addRemote('gateway-0', {
                v: 1,
                id: `ghost-${i}`,
                wire: 'native',
                accountId: account.id,
                tokenId: '',
                issuedAt: 0,
                clientType: 'user-scoped',
                connectedAt: Date.now(),
            });
        }
    });
}

describe('a gateway', () => {
    it('tells the hub of its sockets as they come and go', async () => {
        const sockets = [
            await connect(server, account, { host: 'gateway' }),
            await connect(server, account, { host: 'gateway' }),
        ];
        expect(await total()).toBe(2);
        sockets[0]?.close();
        await expect.poll(total).toBe(1);
        sockets[1]?.close();
        await expect.poll(total).toBe(0);
    });

    it('looks at no other account’s sockets to deliver to one, to answer a call or to let one go', async () => {
        const others = await Promise.all(Array.from({ length: 3 }, () => createAccount(server)));
        for (const other of others) await connect(server, other, { host: 'gateway' });
        const sockets = [
            await connect(server, account, { host: 'gateway' }),
            await connect(server, account, { host: 'gateway' }),
        ] as const;
        await settled(account, [...sockets]);
        const restore = await runInDurableObject(gateway(), (_, ctx) => {
            const all = vi.spyOn(ctx, 'getWebSockets').mockImplementation(() => {
                throw new Error('All sockets were looked at');
            });
            return () => all.mockRestore();
        });
        await settled(account, [...sockets]);
        await sockets[0].request('rpc-register', { method: 'm:x' });
        const outcome = sockets[1].request('rpc-call', { method: 'm:x' });
        const { ackId } = await sockets[0].next(({ event }) => event === 'rpc-request');
        sockets[0].sendText(JSON.stringify({ event: 'rpc-response', ackId, ack: 1 }));
        expect(await outcome).toEqual({ ok: true, result: 1 });
        sockets[0].close();
        await expect.poll(total).toBe(1);
        await settled(account, [sockets[1]]);
        await runInDurableObject(gateway(), restore);
    });

    it('gives nobody anything before its connected', async () => {
        const sid = await createSession(account);
        await connect(server, account, { host: 'gateway' });
        const joining = Array.from({ length: 10 }, async () => {
            const writing = appendTexts(account, sid, ['m']);
            const socket = await connect(server, account, { host: 'gateway' });
            await writing;
            return socket;
        });
        for (const socket of await Promise.all(joining)) expect(socket.frames[0]?.event).toBe('connected');
    });

    it('full of what some have sent closes these, and nobody who sends a little', async () => {
        const others = [await createAccount(server), await createAccount(server)];
        const floods = await Promise.all(others.map((other) => connect(server, other, { host: 'gateway' })));
        const socket = await connect(server, account, { host: 'gateway' });
        let release: (() => void) | undefined;
        await runInDurableObject(gateway(), (instance) => {
            const busy = instance as unknown as { services(): Promise<unknown> };
            const services = busy.services.bind(instance);
            const gate = new Promise<void>((resolve) => (release = resolve));
            busy.services = async () => {
                await gate;
                return services();
            };
        });
        const frame = `{"event":"broadcast","data":"${'x'.repeat(1024 * 1024 - 40)}"}`.padEnd(1024 * 1024);
        for (const flood of floods) {
            for (let i = 0; i < 18; i++) flood.sendText(frame);
            expect(await flood.untilClosed()).toMatchObject({ code: 1008 });
        }
        const answers = Promise.race([
            Promise.all(Array.from({ length: 5 }, () => socket.request('broadcast', 'a little'))),
            socket.untilClosed(20_000),
        ]);
        // By the time another one is open they have come.
        await connect(server, account);
        await runInDurableObject(gateway(), (instance) => {
            Reflect.deleteProperty(instance, 'services');
            release?.();
        });
        expect(await answers).toEqual(Array.from({ length: 5 }, () => ({ result: 'success' })));
    });

    it('closes its sockets with a request to come back when the hub cannot take them', async () => {
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        onTestFinished(() => log.mockRestore());
        await runInDurableObject(gateway(), (instance) => {
            const broken = {
                getByName: () => ({
                    attach: () => Promise.reject(new Error('overloaded')),
                    detach: () => Promise.resolve(),
                }),
            };
            (instance as unknown as { env: unknown }).env = { ...env, ACCOUNT_HUB: broken };
        });
        const socket = await openSocket(server, { greet: false });
        socket.send('auth', { token: account.token });
        const { code } = await socket.untilClosed();
        await runInDurableObject(gateway(), (instance) => {
            (instance as unknown as { env: unknown }).env = env;
        });
        expect(code).toBe(1013);
    });

    it('closes a socket that its hub could not greet with a request to come back', async () => {
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        onTestFinished(() => log.mockRestore());
        const mend = await cutOffGateways(account.id);
        const socket = await openSocket(server, { greet: false });
        socket.send('auth', { token: account.token });
        const { code } = await socket.untilClosed();
        await mend();
        expect(code).toBe(1013);
    });

    it('that cannot be reached loses its sockets, which come back without a gap when it can', async () => {
        const sid = await createSession(account);
        const machineId = await createMachine(account);
        const far = await connect(server, account, { host: 'gateway', clientType: 'machine-scoped', machineId });
        const near = await connect(server, account);
        const mend = await cutOffGateways(account.id);
        await appendTexts(account, sid, ['unheard by the far one']);
        await account.call('PUT', `/v1/machines/${machineId}/status`, { metadata: 'unheard' });
        await expect.poll(total).toBe(1);
        await expect
            .poll(() =>
                near
                    .ephemerals()
                    .filter(({ type }) => type === 'machine-status')
                    .at(-1),
            )
            .toMatchObject({ online: false });
        clock.advance(10_000);
        await runDurableObjectAlarm(hub());
        expect(await total()).toBe(1);
        await mend();
        clock.advance(10_000);
        await runDurableObjectAlarm(hub());
        expect(await far.untilClosed()).toMatchObject({ code: 1012 });
        const scope = { host: 'gateway', clientType: 'machine-scoped', machineId } as const;
        const back = await connect(server, account, { ...scope, lastSeq: 3 });
        await account.call('PUT', `/v1/machines/${machineId}/status`, { metadata: 'heard' });
        await settled(account, [back]);
        expect(back.updates().map(({ seq }) => seq)).toEqual([5, 6]);
        const { body } = await account.call('GET', `/v1/machines/${machineId}`);
        expect([await total(), body.machine.active]).toEqual([2, true]);
    });

    it('that cannot be reached delivers nothing behind a gap, whoever else comes meanwhile', async () => {
        const sid = await createSession(account);
        const far = await connect(server, account, { host: 'gateway' });
        const mend = await cutOffGateways(account.id);
        await appendTexts(account, sid, ['unheard']);
        await expect.poll(total).toBe(0);
        await mend();
        const other = await connect(server, account, { host: 'gateway' });
        expect(await far.untilClosed()).toMatchObject({ code: 1012 });
        await appendTexts(account, sid, ['heard by the other one']);
        await settled(account, [other]);
        expect([far.updates(), other.updates().map(({ seq }) => seq)]).toEqual([[], [3]]);
    });

    it('whose socket the hub has given up tells it so when it asks for something', async () => {
        const far = await connect(server, account, { host: 'gateway' });
        const near = await connect(server, account);
        await near.request('rpc-register', { method: 'm:x' });
        const mend = await cutOffGateways(account.id);
        await account.call('POST', '/v1/websocket/broadcast', { message: { type: 'x' } });
        await expect.poll(total).toBe(1);
        await mend();
        expect(await far.request('rpc-call', { method: 'm:x' })).toMatchObject({ ok: false });
        expect(await far.request('request-updates-since', { seq: 0 })).toMatchObject({ success: false });
        await settled(account, [near]);
        expect(near.all('rpc-request')).toEqual([]);
        clock.advance(10_000);
        await runDurableObjectAlarm(hub());
        await far.untilClosed();
    });

    it('that can be reached again at once has lost its sockets all the same, and what was to go there', async () => {
        const sid = await createSession(account);
        const far = await connect(server, account, { host: 'gateway' });
        let failures = 2;
        let release: (() => void) | undefined;
        const gate = new Promise<void>((resolve) => (release = resolve));
        await interceptGateways(account.id, async (call) => {
            await gate;
            if (failures-- > 0) throw new Error('Network connection lost.');
            return call();
        });
        for (const text of ['unheard', 'waits for its turn']) await appendTexts(account, sid, [text]);
        await expect.poll(async () => (await hub().updatesSince(1)).length).toBe(2);
        release?.();
        await expect.poll(total).toBe(0);
        clock.advance(10_000);
        await runDurableObjectAlarm(hub());
        expect(await far.untilClosed()).toMatchObject({ code: 1012 });
        expect(far.updates()).toEqual([]);
    });

    it('that is never reached again is given up', async () => {
        await connect(server, account, { host: 'gateway' });
        await cutOffGateways(account.id);
        await account.call('POST', '/v1/websocket/broadcast', { message: { type: 'x' } });
        await expect.poll(total).toBe(0);
        for (let attempts = 0; attempts < 31; attempts++) {
            clock.advance(10_000);
            await runDurableObjectAlarm(hub());
        }
        expect(await runInDurableObject(hub(), (_, { storage }) => storage.getAlarm())).toBeNull();
    });

    it('that crashed tells hubs that its sockets are gone, not those that came since', async () => {
        await addGhosts(1);
        const fresh = await connect(server, account, { host: 'gateway' });
        await hub().reconcile('gateway-0');
        expect(await total()).toBe(1);
        await settled(account, [fresh]);
    });

    it('that crashed itself says so as soon as anything wakes it', async () => {
        const machineId = await createMachine(account);
        const sockets = [
            await connect(server, account, { host: 'gateway' }),
            await connect(server, account, { host: 'gateway', clientType: 'machine-scoped', machineId }),
        ];
        await settled(account, sockets);
        await quiet();
        // Its next instance tells sockets of before by their time; whatever wakes it may be the first to.
        clock.advance(1);
        await abortAllDurableObjects();
        for (const socket of sockets) await socket.untilClosed();
        await connect(server, await createAccount(server), { host: 'gateway' });
        await expect.poll(total).toBe(0);
        await expect
            .poll(async () => (await account.call('GET', `/v1/machines/${machineId}`)).body.machine.active)
            .toBe(false);
    });

    it('that crashed tells a few hubs at a time, and again those that it could not reach', async () => {
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        onTestFinished(() => log.mockRestore());
        // So that alarms ring when they are told to, not by themselves.
        clock.advance(60_000);
        const ids = Array.from({ length: 60 }, (_, i) => `${account.id}-${i + 10}`);
        const told: string[] = [];
        let broken = true;
        const tell = (id: string) => async (name: string) => {
            told.push(id);
            if (broken && id === ids[0]) throw new Error('overloaded');
            return env.ACCOUNT_HUB.getByName(id).reconcile(name);
        };
        const hubs = { getByName: (id: string) => ({ reconcile: tell(id) }) };
        const other = env.SOCKET_GATEWAY.getByName('gateway-99');
        const left = () =>
            runInDurableObject(
                other,
                (_, { storage }) => storage.sql.exec('SELECT id FROM RegisteredAccount').toArray().length,
            );
        await runInDurableObject(other, (instance, state) => {
            for (const id of ids) state.storage.sql.exec('INSERT INTO RegisteredAccount (id) VALUES (?)', id);
            renew(instance, state, { ...env, ACCOUNT_HUB: hubs });
        });
        await expect.poll(left).toBe(21);
        expect(told).toEqual(ids.slice(0, 40));
        for (const [isBroken, rest] of [
            [true, 1],
            [false, 0],
        ] as const) {
            broken = isBroken;
            clock.advance(10_000);
            await runDurableObjectAlarm(other);
            expect(await left()).toBe(rest);
        }
        expect(told).toEqual([...ids, ids[0], ids[0]]);
        expect(await runInDurableObject(other, (_, { storage }) => storage.getAlarm())).toBeNull();
    });

    it('that an alarm has woken knows who it is, and so does a hub', async () => {
        const sid = await createSession(account);
        const first = [await connect(server, account), await connect(server, account, { host: 'gateway' })];
        await settled(account, first);
        for (const stub of [hub(), gateway()] as DurableObjectStub[]) {
            await runInDurableObject(stub, (_, { storage }) => storage.setAlarm(vi.getRealSystemTime() + 5_000));
        }
        const rungAt = vi.getRealSystemTime() + 6_000;
        await quiet();
        await abortAllDurableObjects();
        for (const socket of first) await socket.untilClosed();
        // By then the runtime has called them without their names.
        await expect.poll(() => vi.getRealSystemTime()).toBeGreaterThan(rungAt);
        const again = [await connect(server, account), await connect(server, account, { host: 'gateway' })];
        await appendTexts(account, sid, ['m']);
        await settled(account, again);
        for (const socket of again) expect(socket.updates().map(({ seq }) => seq)).toEqual([2]);
    });

    it('that could not say that a socket closed has it forgotten with the next delivery', async () => {
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        onTestFinished(() => log.mockRestore());
        const machineId = await createMachine(account);
        const near = await connect(server, account);
        const far = await connect(server, account, { host: 'gateway', clientType: 'machine-scoped', machineId });
        await connect(server, account, { host: 'gateway' });
        const { promise: told, resolve } = Promise.withResolvers<void>();
        let tries = 0;
        function detach() {
            if ((tries += 1) === 2) resolve();
            return Promise.reject(new Error('overloaded'));
        }
        await runInDurableObject(gateway(), (instance) => {
            Object.assign(instance, { env: { ...env, ACCOUNT_HUB: { getByName: () => ({ detach }) } } });
        });
        far.close();
        await told;
        await runInDurableObject(gateway(), (instance) => void Object.assign(instance, { env }));
        expect(await total()).toBe(3);
        await settled(account, [near]);
        await expect.poll(total).toBe(2);
        await near.next(({ data }) => data.type === 'machine-status' && data.online === false);
    });

    it('leaves no ghosts that keep others out', async () => {
        await addGhosts(100);
        expect(await total()).toBe(100);
        await connect(server, account);
        expect(await total()).toBe(1);
    });
});

describe('the limit of a hundred sockets', () => {
    it('counts hub and gateways together, and every one of them is served', async () => {
        const sid = await createSession(account);
        const sockets = await Promise.all(
            Array.from({ length: 100 }, (_, i) => connect(server, account, { host: i % 2 === 0 ? 'hub' : 'gateway' })),
        );
        expect(await total()).toBe(100);
        const [inHubToo, inGatewayToo] = [
            await openSocket(server, { headers: bearer(account), greet: false }),
            await openSocket(server, { greet: false }),
        ];
        inGatewayToo.send('auth', { token: account.token });
        const refused = { code: 4005, reason: 'CONNECTION_LIMIT_EXCEEDED' };
        expect(await inHubToo.untilClosed()).toEqual(refused);
        expect(await inGatewayToo.untilClosed()).toEqual(refused);
        await appendTexts(account, sid, ['to all']);
        await settled(account, sockets);
        for (const socket of sockets) expect(socket.updates().map(({ seq }) => seq)).toEqual([2]);
        // Another account is not concerned, and a place that is free is given again.
        await connect(server, await createAccount(server));
        sockets[0]?.close();
        await expect.poll(total).toBe(99);
        await connect(server, account, { host: 'gateway' });
    });

    it('holds when many come at once', async () => {
        const sockets = await Promise.all(
            Array.from({ length: 110 }, async (_, i) => {
                const isHub = i % 2 === 0;
                const socket = await openSocket(server, { headers: isHub ? bearer(account) : {}, greet: false });
                if (!isHub) socket.send('auth', { token: account.token });
                return socket;
            }),
        );
        const ends = await Promise.all(
            sockets.map((socket) =>
                Promise.race([
                    socket.untilClosed(20_000).then(({ code }) => code),
                    socket.next(() => true, 20_000).then(() => 0),
                ]),
            ),
        );
        expect(ends.filter((end) => end === 0)).toHaveLength(100);
        expect(ends.filter((end) => end === 4005)).toHaveLength(10);
    });
});

describe('a token that is ended', () => {
    it.each(['hub', 'gateway'] as const)('closes its sockets in the %s with 4006, and no others', async (host) => {
        const { body } = await account.call('POST', '/v1/auth/refresh');
        const other = { token: body.token as string };
        const stranger = await createAccount(server);
        const sockets = [await connect(server, account, { host }), await connect(server, account, { host })];
        const [staying, theirs] = [await connect(server, other, { host }), await connect(server, stranger, { host })];
        await account.call('POST', '/v1/auth/logout');
        for (const socket of sockets) expect(await socket.untilClosed()).toMatchObject({ code: 4006 });
        expect(await staying.request('broadcast')).toEqual({ result: 'success' });
        expect(await theirs.request('broadcast')).toEqual({ result: 'success' });
    });

    it.each(['hub', 'gateway'] as const)(
        'with all others of the account closes every socket in the %s',
        async (host) => {
            const { body } = await account.call('POST', '/v1/auth/refresh');
            const stranger = await createAccount(server);
            const sockets = [
                await connect(server, account, { host }),
                await connect(server, { token: body.token }, { host }),
            ];
            const theirs = await connect(server, stranger, { host });
            await account.call('POST', '/v1/auth/logout-all');
            for (const socket of sockets) expect(await socket.untilClosed()).toMatchObject({ code: 4006 });
            expect(await theirs.request('broadcast')).toEqual({ result: 'success' });
        },
    );

    it.each(['before', 'by'] as const)(
        'closes its sockets in a gateway that was found out of reach %s then, and what takes their place is refused',
        async (found) => {
            const far = await connect(server, account, { host: 'gateway' });
            const mend = await cutOffGateways(account.id);
            const message = { type: 'unheard' };
            if (found === 'before') await account.call('POST', '/v1/websocket/broadcast', { message });
            await account.call('POST', '/v1/auth/logout');
            await expect.poll(async () => (await hub().stats()).totalConnections).toBe(0);
            await mend();
            clock.advance(70_000);
            await runDurableObjectAlarm(hub());
            expect(await far.untilClosed()).toMatchObject({ code: 1012 });
            const back = await openSocket(server, { greet: false });
            back.send('auth', { token: account.token });
            expect(await back.untilClosed()).toMatchObject({ code: 4001 });
        },
    );

    it('opens no socket that was on its way', async () => {
        const { tokenId, issuedAt } = { tokenId: crypto.randomUUID(), issuedAt: Math.floor(Date.now() / 1000) };
        await hub().revoke({ tokenId });
        const connection = {
            v: 1,
            id: 'late',
            wire: 'native',
            accountId: account.id,
            tokenId,
            issuedAt,
            clientType: 'user-scoped',
            connectedAt: Date.now(),
        } as const;
        expect(await hub().attach('gateway-0', { connection, seq: 0 })).toEqual({
            code: 4006,
            reason: 'Token revoked',
        });
        expect(
            await hub().attach('gateway-0', { connection: { ...connection, tokenId: 'another' }, seq: 0 }),
        ).toBeNull();
    });
});

describe('statistics', () => {
    it('count sockets by kind, wherever they are', async () => {
        expect((await account.call('GET', '/v1/websocket/stats')).body).toEqual({
            totalConnections: 0,
            byType: { 'user-scoped': 0, 'session-scoped': 0, 'machine-scoped': 0 },
            activeSessions: 0,
            activeMachines: 0,
            oldestConnection: null,
        });
        const [sessionId, machineId] = [await createSession(account), await createMachine(account)];
        const first = Date.now();
        await connect(server, account, { host: 'gateway' });
        clock.advance(5);
        for (const host of ['hub', 'gateway'] as const) {
            await connect(server, account, { host, clientType: 'session-scoped', sessionId });
            await connect(server, account, { host, clientType: 'machine-scoped', machineId });
        }
        await connect(server, await createAccount(server));
        expect((await account.call('GET', '/v1/websocket/stats')).body).toEqual({
            totalConnections: 5,
            byType: { 'user-scoped': 1, 'session-scoped': 2, 'machine-scoped': 2 },
            activeSessions: 1,
            activeMachines: 1,
            oldestConnection: first,
        });
    });
});

describe('a broadcast', () => {
    async function everyone() {
        const [sessionId, machineId] = [await createSession(account), await createMachine(account)];
        const stranger = await createAccount(server);
        const sockets = {
            app: await connect(server, account),
            farApp: await connect(server, account, { host: 'gateway' }),
            session: await connect(server, account, { clientType: 'session-scoped', sessionId }),
            machine: await connect(server, account, { host: 'gateway', clientType: 'machine-scoped', machineId }),
            stranger: await connect(server, stranger),
        };
        const own = [sockets.app, sockets.farApp, sockets.session, sockets.machine];
        async function heardBy(filter: unknown) {
            for (const socket of Object.values(sockets)) socket.frames.length = 0;
            const message = { type: 'hello', payload: { a: 1 } };
            const { status, body } = await account.call('POST', '/v1/websocket/broadcast', { message, filter });
            await settled(account, own);
            const heard = Object.entries(sockets).filter(([, socket]) =>
                socket.all('broadcast').some(({ type }) => type === 'hello'),
            );
            return { status, body, heard: heard.map(([name]) => name) };
        }
        return { sockets, sessionId, machineId, heardBy };
    }

    it('reaches whom its filter names, and tells how many they are', async () => {
        const { sockets, sessionId, machineId, heardBy } = await everyone();
        const connectionId = sockets.app.frames[0]?.data.connectionId as string;
        const all = ['app', 'farApp', 'session', 'machine'];
        const told = (heard: string[]) => ({ status: 200, body: { success: true, delivered: heard.length }, heard });
        expect(await heardBy(undefined)).toEqual(told(all));
        expect(await heardBy(null)).toEqual(told(all));
        expect(await heardBy({ type: 'all' })).toEqual(told(all));
        expect(await heardBy({ type: 'user-scoped-only' })).toEqual(told(['app', 'farApp']));
        expect(await heardBy({ type: 'session', sessionId })).toEqual(told(['session']));
        expect(await heardBy({ type: 'machine', machineId })).toEqual(told(['machine']));
        expect(await heardBy({ type: 'exclude', connectionId })).toEqual(told(['farApp', 'session', 'machine']));
        expect(await heardBy({ type: 'session', sessionId: 'missing' })).toEqual(told([]));
    });

    it('is a control frame in both spellings', async () => {
        const app = await connect(server, account);
        await account.call('POST', '/v1/websocket/broadcast', {
            message: { type: 'hello', payload: [null], timestamp: 5 },
        });
        const data = { type: 'hello', payload: [null], timestamp: 5 };
        expect(await app.next(({ event }) => event === 'broadcast')).toEqual({
            event: 'broadcast',
            type: 'broadcast',
            data,
            payload: data,
            timestamp: Date.now(),
        });
    });

    it.each([
        ['a session filter without its id', { message: { type: 'x' }, filter: { type: 'session' } }],
        ['a machine filter without its id', { message: { type: 'x' }, filter: { type: 'machine' } }],
        ['an exclude filter without its id', { message: { type: 'x' }, filter: { type: 'exclude' } }],
        ['an unknown filter', { message: { type: 'x' }, filter: { type: 'everybody' } }],
        ['a filter without a type', { message: { type: 'x' }, filter: {} }],
        ['the type update', { message: { type: 'update', payload: {} } }],
        ['the type ephemeral', { message: { type: 'ephemeral', payload: {} } }],
        ['no type', { message: { payload: {} } }],
        ['no message', {}],
    ])('with %s is refused', async (_, body) => {
        const { status } = await account.call('POST', '/v1/websocket/broadcast', body);
        expect(status).toBe(400);
    });

    it('from a socket reaches the others of its account, and says what it was given', async () => {
        const { sockets } = await everyone();
        await sockets.session.request('broadcast', { any: ['thing'] });
        await settled(account, [sockets.app, sockets.farApp, sockets.machine, sockets.session]);
        for (const socket of [sockets.app, sockets.farApp, sockets.machine]) {
            expect(socket.all('broadcast')[0]).toEqual({ any: ['thing'] });
        }
        expect([sockets.session.all('broadcast').length, sockets.stranger.all('broadcast').length]).toEqual([1, 0]);
    });
});
