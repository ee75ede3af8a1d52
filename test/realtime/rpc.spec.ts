import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { probeDatabase } from '@test/helpers/database';
import { interceptGateways, renewHub } from '@test/helpers/hubs';
import { startServer } from '@test/helpers/server';
import type { Frame, TestSocket } from '@test/helpers/socket';
import { connect, settled } from '@test/helpers/socket';

const server = startServer();
const clock = holdClock();

let account: TestAccount;
beforeEach(async () => {
    account = await createAccount(server);
});

const hub = () => env.ACCOUNT_HUB.getByName(account.id);
const isRequest = ({ event }: Frame) => event === 'rpc-request';
const requests = (socket: TestSocket) => socket.all('rpc-request');

async function register(socket: TestSocket, method: string): Promise<void> {
    await socket.request('rpc-register', { method });
    await socket.next(({ event, data }) => event === 'rpc-registered' && data.method === method);
}

/** Answers every request from now on. */
async function answerNext(socket: TestSocket, answer: unknown): Promise<Frame> {
    const request = await socket.next(isRequest);
    socket.frames.splice(socket.frames.indexOf(request), 1);
    socket.sendText(JSON.stringify({ event: 'rpc-response', ackId: request.ackId, ack: answer }));
    return request;
}

async function ring(): Promise<void> {
    await runDurableObjectAlarm(hub());
}

function callsUnderWay(): Promise<number> {
    return runInDurableObject(hub(), (_, { storage }) => storage.sql.exec('SELECT * FROM RpcCall').toArray().length);
}

const WHERE = [
    ['hub', 'hub'],
    ['hub', 'gateway'],
    ['gateway', 'hub'],
    ['gateway', 'gateway'],
] as const;

describe.each(WHERE)('a call from the %s to the %s', (callerHost, targetHost) => {
    const open = (host: 'hub' | 'gateway') => connect(server, account, { host });

    it('is answered by who registered the method, to the caller alone', async () => {
        const [caller, target, bystander] = [await open(callerHost), await open(targetHost), await open(targetHost)];
        await register(target, 'm:echo');
        const params = { deep: ['🙈', null, { x: 1.5 }] };
        const outcome = caller.request('rpc-call', { method: 'm:echo', params });
        const request = await answerNext(target, { answer: 'a' });
        expect(request).toEqual({
            event: 'rpc-request',
            type: 'rpc-request',
            data: { method: 'm:echo', params },
            timestamp: Date.now(),
            ackId: expect.any(String),
        });
        expect(await outcome).toEqual({ ok: true, result: { answer: 'a' } });
        await settled(account, [caller, target, bystander]);
        expect(bystander.frames.map(({ event }) => event)).toEqual(['connected', 'broadcast']);
        expect(caller.frames.filter(({ event }) => event !== 'broadcast').map(({ event }) => event)).toEqual([
            'connected',
            'ack',
        ]);
        expect(await callsUnderWay()).toBe(0);
    });

    it('carries a megabyte both ways', async () => {
        const [caller, target] = [await open(callerHost), await open(targetHost)];
        await register(target, 'm:big');
        const big = 'x'.repeat(1_000_000);
        const outcome = caller.request('rpc-call', { method: 'm:big', params: big });
        expect((await answerNext(target, big)).data.params).toBe(big);
        expect(await outcome).toEqual({ ok: true, result: big });
    });

    it('goes to the newest registration, and to the older one when that is gone', async () => {
        const [caller, older, newer] = [await open(callerHost), await open('hub'), await open(targetHost)];
        await register(older, 'm:do');
        clock.advance(1);
        await register(newer, 'm:do');
        const first = caller.request('rpc-call', { method: 'm:do' });
        await answerNext(newer, 'newer');
        expect(await first).toEqual({ ok: true, result: 'newer' });
        await newer.request('rpc-unregister', { method: 'm:do' });
        expect(newer.all('rpc-unregistered')).toEqual([{ method: 'm:do' }]);
        const second = caller.request('rpc-call', { method: 'm:do' });
        await answerNext(older, 'older');
        expect(await second).toEqual({ ok: true, result: 'older' });
    });

    it('waits 15 s for somebody to register', async () => {
        const [caller, target] = [await open(callerHost), await open(targetHost)];
        const [early, late] = [
            caller.request('rpc-call', { method: 'm:early', params: 1 }),
            caller.request('rpc-call', { method: 'm:late' }),
        ];
        await expect.poll(callsUnderWay).toBe(2);
        clock.advance(14_999);
        await register(target, 'm:early');
        await ring();
        expect((await answerNext(target, 'there')).data).toEqual({ method: 'm:early', params: 1 });
        expect(await early).toEqual({ ok: true, result: 'there' });
        clock.advance(1);
        await ring();
        expect(await late).toEqual({ ok: false, error: 'RPC method not available' });
    });

    it('waits 30 s for an answer, and takes none after that', async () => {
        const [caller, target] = [await open(callerHost), await open(targetHost)];
        await register(target, 'm:slow');
        const outcome = caller.request('rpc-call', { method: 'm:slow' });
        const { ackId } = await target.next(isRequest);
        clock.advance(29_999);
        await ring();
        expect(await callsUnderWay()).toBe(1);
        clock.advance(1);
        await ring();
        expect(await outcome).toEqual({ ok: false, error: 'operation has timed out' });
        target.sendText(JSON.stringify({ event: 'rpc-response', ackId, ack: 'late' }));
        await settled(account, [target, caller]);
        expect(caller.frames.filter(({ event }) => event === 'ack')).toHaveLength(1);
    });

    it('fails at once when its target goes', async () => {
        const [caller, target] = [await open(callerHost), await open(targetHost)];
        await register(target, 'm:gone');
        const outcome = caller.request('rpc-call', { method: 'm:gone' });
        await target.next(isRequest);
        target.close();
        expect(await outcome).toEqual({ ok: false, error: 'RPC target disconnected' });
    });

    it('is forgotten when its caller goes', async () => {
        const [caller, target] = [await open(callerHost), await open(targetHost)];
        await register(target, 'm:left');
        caller.send('rpc-call', { method: 'm:left' }, 1);
        await target.next(isRequest);
        caller.close();
        await expect.poll(callsUnderWay).toBe(0);
    });

    it('can be cancelled, whether it waits for a target or for an answer', async () => {
        const [caller, target] = [await open(callerHost), await open(targetHost)];
        await register(target, 'm:slow');
        caller.send('rpc-call', { method: 'm:slow' }, 5);
        caller.send('rpc-call', { method: 'm:nobody' }, 'six');
        await target.next(isRequest);
        await expect.poll(callsUnderWay).toBe(2);
        expect(await caller.request('rpc-cancel', { requestId: '5' })).toEqual({ result: 'success' });
        await caller.request('rpc-cancel', { requestId: 'six' });
        for (const id of [5, 'six']) {
            expect((await caller.next(({ ackId }) => ackId === id)).ack).toEqual({
                ok: false,
                error: 'RPC call cancelled',
            });
        }
        expect(await callsUnderWay()).toBe(0);
        const other = await open(callerHost);
        expect(await other.request('rpc-cancel', { requestId: 5 })).toEqual({ result: 'success' });
    });

    it('survives that the hub forgets everything meanwhile', async () => {
        const [caller, target] = [await open(callerHost), await open(targetHost)];
        await register(target, 'm:sleep');
        const outcome = caller.request('rpc-call', { method: 'm:sleep' });
        await target.next(isRequest);
        await renewHub(account.id);
        await answerNext(target, 'awake');
        expect(await outcome).toEqual({ ok: true, result: 'awake' });
    });

    it('of another account finds nobody', async () => {
        const stranger = await createAccount(server);
        const theirs = await connect(server, stranger, { host: targetHost });
        await register(theirs, 'm:secret');
        const caller = await open(callerHost);
        const outcome = caller.request('rpc-call', { method: 'm:secret' });
        await expect.poll(callsUnderWay).toBe(1);
        clock.advance(15_000);
        await ring();
        expect(await outcome).toEqual({ ok: false, error: 'RPC method not available' });
        expect(requests(theirs)).toEqual([]);
    });
});

describe('registrations', () => {
    it('do not let a socket call itself', async () => {
        const socket = await connect(server, account);
        await register(socket, 'm:own');
        expect(await socket.request('rpc-call', { method: 'm:own' })).toEqual({
            ok: false,
            error: 'Cannot call RPC on the same socket',
        });
        expect(requests(socket)).toEqual([]);
    });

    it('made in the same millisecond have an order', async () => {
        const [caller, first, second] = [
            await connect(server, account),
            await connect(server, account),
            await connect(server, account),
        ];
        await register(second, 'm:tie');
        await register(first, 'm:tie');
        const outcome = caller.request('rpc-call', { method: 'm:tie' });
        await answerNext(first, 1);
        expect(await outcome).toEqual({ ok: true, result: 1 });
    });

    it('of a scoped socket are found by their whole name', async () => {
        const machineId = await createMachine(account);
        const daemon = await connect(server, account, { clientType: 'machine-scoped', machineId });
        await register(daemon, `${machineId}:spawn`);
        await register(daemon, 'other:spawn');
        const caller = await connect(server, account);
        for (const method of [`${machineId}:spawn`, 'other:spawn']) {
            const outcome = caller.request('rpc-call', { method });
            expect((await answerNext(daemon, method)).data.method).toBe(method);
            expect(await outcome).toEqual({ ok: true, result: method });
        }
    });

    it('of a scoped socket are not found by what comes after its id', async () => {
        const machineId = await createMachine(account);
        const daemon = await connect(server, account, { clientType: 'machine-scoped', machineId });
        await register(daemon, `${machineId}:bash`);
        const [caller, other] = [await connect(server, account), await connect(server, account)];
        const outcome = caller.request('rpc-call', { method: ':bash' });
        await expect.poll(callsUnderWay).toBe(1);
        await register(other, ':bash');
        await answerNext(other, 1);
        expect(await outcome).toEqual({ ok: true, result: 1 });
        // Nor is the one taken for the other by a socket that has both, or takes one back.
        await register(daemon, ':bash');
        await daemon.request('rpc-unregister', { method: `${machineId}:bash` });
        const again = caller.request('rpc-call', { method: ':bash' });
        await answerNext(daemon, 2);
        expect(await again).toEqual({ ok: true, result: 2 });
    });

    it('are at most 200 a socket, and none is lost for the one too many', async () => {
        const machineId = await createMachine(account);
        const daemon = await connect(server, account, { clientType: 'machine-scoped', machineId });
        for (let i = 0; i < 200; i++) daemon.send('rpc-register', { method: `${machineId}:a-method-with-a-name-${i}` });
        await expect.poll(() => daemon.all('rpc-registered').length).toBe(200);
        const message = 'At most 200 methods per socket';
        expect(await daemon.request('rpc-register', { method: `${machineId}:one-more` })).toEqual({
            result: 'error',
            message,
        });
        expect(daemon.all('rpc-error')).toEqual([{ type: 'register', error: message }]);
        // Again is not one more; and heartbeats still find room in the attachment.
        await register(daemon, `${machineId}:a-method-with-a-name-0`);
        expect(await daemon.request('machine-alive', { machineId, time: Date.now() })).toEqual({ result: 'success' });
        const caller = await connect(server, account);
        const outcome = caller.request('rpc-call', { method: `${machineId}:a-method-with-a-name-199` });
        await answerNext(daemon, 1);
        expect(await outcome).toEqual({ ok: true, result: 1 });
    });

    it('with names that are too long together are refused', async () => {
        const socket = await connect(server, account);
        for (let i = 0; i < 60; i++) await socket.request('rpc-register', { method: `${i}`.padEnd(256, '-') });
        expect(socket.all('rpc-error').length).toBeGreaterThan(0);
        expect(socket.all('rpc-registered').length).toBeGreaterThan(30);
        expect(await socket.request('session-alive', { sid: 'x'.repeat(128), time: Date.now() })).toEqual({
            result: 'success',
        });
    });

    it('with names in any script leave room for heartbeats', async () => {
        const socket = await connect(server, account);
        // One such letter doubles the size that all others take in an attachment.
        for (let i = 0; i < 60; i++) await socket.request('rpc-register', { method: `語${i}`.padEnd(254, '-') });
        expect(socket.all('rpc-registered').length + socket.all('rpc-error').length).toBe(60);
        for (let i = 0; i < 40; i++) {
            const beat = { sid: `語${i}`.padEnd(126, '-'), time: Date.now() };
            expect(await socket.request('session-alive', beat)).toEqual({ result: 'success' });
        }
    });

    it.each([
        [undefined],
        [{}],
        [{ method: '' }],
        [{ method: 5 }],
        [{ method: 'x'.repeat(257) }],
        [{ method: 'a\0b' }],
    ])('of %j are an rpc-error, and are acknowledged as one', async (data) => {
        const socket = await connect(server, account);
        for (const event of ['rpc-register', 'rpc-unregister']) {
            expect(await socket.request(event, data)).toEqual({ result: 'error', message: 'Invalid method name' });
        }
        const error = { type: 'register', error: 'Invalid method name' };
        expect(socket.all('rpc-error')).toEqual([error, error]);
    });

    it('nobody made are not found under names that every object has', async () => {
        const [caller, other] = [await connect(server, account), await connect(server, account)];
        await register(other, '__proto__');
        const outcomes = ['constructor', 'toString', 'hasOwnProperty'].map((method) =>
            caller.request('rpc-call', { method }),
        );
        await expect.poll(callsUnderWay).toBe(3);
        expect(requests(other)).toEqual([]);
        clock.advance(15_000);
        await ring();
        for (const outcome of await Promise.all(outcomes)) expect(outcome).toMatchObject({ ok: false });
        const found = caller.request('rpc-call', { method: '__proto__' });
        await answerNext(other, 1);
        expect(await found).toEqual({ ok: true, result: 1 });
    });
});

describe('calls', () => {
    it('are answered by who was asked only', async () => {
        const [caller, target, third] = [
            await connect(server, account),
            await connect(server, account),
            await connect(server, account),
        ];
        await register(target, 'm:do');
        const outcome = caller.request('rpc-call', { method: 'm:do' });
        const { ackId } = await target.next(isRequest);
        third.sendText(JSON.stringify({ event: 'rpc-response', ackId, ack: 'forged' }));
        caller.sendText(JSON.stringify({ event: 'rpc-response', ackId, ack: 'forged' }));
        await settled(account, [caller, third]);
        await answerNext(target, 'real');
        expect(await outcome).toEqual({ ok: true, result: 'real' });
    });

    it('go out once to a gateway that the hub has heard no answer from', async () => {
        const [caller, target] = [await connect(server, account), await connect(server, account, { host: 'gateway' })];
        await register(target, 'm:once');
        let lost = 0;
        await interceptGateways(account.id, async (call, method) => {
            const answer = await call();
            if (method === 'sendEvents' && (lost += 1) === 1) throw new Error('Network connection lost.');
            return answer;
        });
        const outcomes = [1, 2].map(async () => caller.request('rpc-call', { method: 'm:once' }));
        await expect.poll(() => lost).toBe(3);
        await settled(account, [target]);
        expect(requests(target)).toHaveLength(2);
        for (const _ of outcomes) await answerNext(target, 'done');
        expect(await Promise.all(outcomes)).toEqual([1, 2].map(() => ({ ok: true, result: 'done' })));
    });

    it('may be answered by any frame with their ackId, also with null', async () => {
        const [caller, target] = [await connect(server, account), await connect(server, account)];
        await register(target, 'm:do');
        const outcome = caller.request('rpc-call', { method: 'm:do' });
        const { ackId } = await target.next(isRequest);
        target.sendText(JSON.stringify({ type: 'whatever', messageId: ackId, ack: null }));
        expect(await outcome).toEqual({ ok: true, result: null });
    });

    it('that asked for no answer hear of a failure', async () => {
        const socket = await connect(server, account);
        await register(socket, 'm:own');
        socket.send('rpc-call', { method: 'm:own' });
        expect((await socket.next(({ event }) => event === 'rpc-error')).data).toEqual({
            type: 'call',
            error: 'Cannot call RPC on the same socket',
        });
    });

    it('under way are bounded for a socket, not for the others', async () => {
        const [caller, target] = [await connect(server, account), await connect(server, account)];
        await register(target, 'm:slow');
        for (let i = 0; i < 100; i++) caller.send('rpc-call', { method: 'm:slow' }, i);
        await expect.poll(() => requests(target).length).toBe(100);
        expect(await caller.request('rpc-call', { method: 'm:slow' })).toEqual({
            ok: false,
            error: 'Too many RPC calls under way',
        });
        const other = await connect(server, account);
        other.send('rpc-call', { method: 'm:slow' }, 1);
        await expect.poll(() => requests(target).length).toBe(101);
    });

    it('that wait are bounded in what they carry, for all sockets together', async () => {
        const callers = [await connect(server, account), await connect(server, account, { host: 'gateway' })] as const;
        const call = (i: 0 | 1, params: string) => callers[i].request('rpc-call', { method: 'm:late', params });
        const waiting = [
            call(0, 'x'.repeat(1_000_000)),
            call(0, 'y'.repeat(1_000_000)),
            call(1, 'z'.repeat(1_000_000)),
        ];
        await expect.poll(callsUnderWay).toBe(3);
        expect(await call(1, 'x'.repeat(1_000_001))).toEqual({ ok: false, error: 'Too many RPC calls under way' });
        waiting.push(call(1, 'a little'));
        await expect.poll(callsUnderWay).toBe(4);
        const target = await connect(server, account);
        await register(target, 'm:late');
        for (const _ of waiting) {
            const { data } = await answerNext(target, 'done');
            expect(data.params).toMatch(/^(x+|y+|z+|a little)$/);
        }
        for (const outcome of waiting) expect(await outcome).toEqual({ ok: true, result: 'done' });
    });

    it('do not touch the database, while a message over a socket writes five rows', async () => {
        const sid = await createSession(account);
        const [caller, target] = [
            await connect(server, account),
            await connect(server, account, { clientType: 'session-scoped', sessionId: sid }),
        ];
        const db = probeDatabase(env.DB);
        const counted = { ...env, DB: db.binding };
        await runInDurableObject(hub(), (instance) => void Object.assign(instance, { env: counted }));
        await register(target, `${sid}:bash`);
        const outcome = caller.request('rpc-call', { method: `${sid}:bash` });
        await answerNext(target, 'ok');
        await outcome;
        expect([db.roundTrips, db.rowsWritten]).toEqual([0, 0]);
        await target.request('message', { sid, message: 'm', localId: 'l' });
        expect([db.roundTrips, db.rowsWritten]).toEqual([1, 5]);
    });

    it('leave no alarm behind', async () => {
        const [caller, target] = [await connect(server, account), await connect(server, account)];
        await register(target, 'm:do');
        const outcome = caller.request('rpc-call', { method: 'm:do' });
        await answerNext(target, 1);
        await outcome;
        expect(await runInDurableObject(hub(), (_, { storage }) => storage.getAlarm())).toBeNull();
    });
});
