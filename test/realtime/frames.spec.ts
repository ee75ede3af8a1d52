import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { createSocketHost } from '@/realtime/socket-host';
import type { SocketState } from '@/realtime/socket-host';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import { appendTexts, readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { connect, openSocket, settled } from '@test/helpers/socket';

const server = startServer();
const MIB = 1024 * 1024;

describe.each(['hub', 'gateway'] as const)('frames of a socket in the %s', (host) => {
    async function open() {
        const account = await createAccount(server);
        return { account, socket: await connect(server, account, { host }) };
    }

    it('come in both spellings, and go out in both', async () => {
        const { socket } = await open();
        socket.sendText('{"type":"broadcast","payload":1,"timestamp":5,"messageId":"a"}');
        socket.sendText('{"event":"broadcast","data":1,"ackId":7}');
        const [first, second] = [await ackOf('a'), await ackOf(7)];
        expect(first).toEqual({ event: 'ack', ackId: 'a', ack: { result: 'success' } });
        expect(second).toEqual({ event: 'ack', ackId: 7, ack: { result: 'success' } });

        async function ackOf(ackId: string | number) {
            return socket.next((frame) => frame.event === 'ack' && frame.ackId === ackId);
        }
    });

    it('answer pings however they are spelled, also one that wants an acknowledgement', async () => {
        const { socket } = await open();
        for (const text of [
            '{"event":"ping"}',
            '{"type":"ping"}',
            '{ "event": "ping", "data": {} }',
            '{"event":"ping","ackId":1}',
        ]) {
            socket.frames.length = 0;
            socket.sendText(text);
            const pong = await socket.next(({ event }) => event === 'pong');
            expect(pong).toMatchObject({ event: 'pong', type: 'pong', data: {}, payload: {} });
        }
        expect(await socket.next(({ event }) => event === 'ack')).toMatchObject({
            ackId: 1,
            ack: { result: 'success' },
        });
    });

    it.each([
        ['no JSON', 'garbage'],
        ['nothing', ''],
        ['half a frame', '{"event":"ping"'],
        ['a list', '[1]'],
        ['null', 'null'],
        ['a number', '5'],
        ['no event', '{}'],
        ['an event that is no text', '{"event":5}'],
        ['an empty event', '{"event":""}'],
        ['an ackId that is an object', '{"event":"message","ackId":{}}'],
        ['an endless ackId', JSON.stringify({ event: 'message', ackId: 'x'.repeat(129) })],
        ['a deep nest', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ])('that are %s are answered with an error, and the socket stays', async (_, text) => {
        const { socket } = await open();
        socket.sendText(text);
        const error = await socket.next(({ event }) => event === 'error');
        const data = { code: 'INVALID_FRAME', message: expect.any(String) };
        expect(error).toMatchObject({ event: 'error', type: 'error', data, payload: data });
        expect(await socket.request('broadcast')).toEqual({ result: 'success' });
    });

    it('that ask for an acknowledgement get one even if they make no sense', async () => {
        const { socket } = await open();
        const unknown = { result: 'error', message: 'Unknown event' };
        for (const event of ['nonsense', '__proto__', 'constructor', 'toString', 'auth', 'connected', 'update']) {
            expect(await socket.request(event, {})).toEqual(unknown);
        }
        socket.sendText('{"ackId":"no event"}');
        expect((await socket.next(({ ackId }) => ackId === 'no event')).ack).toEqual(unknown);
    });

    it('with data that does not fit are refused in the shape of their event', async () => {
        const { socket } = await open();
        const message = 'Invalid parameters';
        for (const data of [undefined, null, 5, 'x', [], {}]) {
            for (const event of [
                'message',
                'update-metadata',
                'update-state',
                'machine-update-metadata',
                'machine-update-state',
                'artifact-read',
                'artifact-create',
                'artifact-update',
                'artifact-delete',
                'session-alive',
                'machine-alive',
                'app-state',
                'rpc-cancel',
            ]) {
                expect([event, await socket.request(event, data)]).toEqual([event, { result: 'error', message }]);
            }
            for (const event of ['session-end', 'usage-report']) {
                expect([event, await socket.request(event, data)]).toEqual([event, { success: false, error: message }]);
            }
            expect(await socket.request('access-key-get', data)).toEqual({ ok: false, error: message });
            expect(await socket.request('rpc-call', data)).toMatchObject({ ok: false });
            expect(await socket.request('request-updates-since', data)).toMatchObject({ success: false });
        }
    });

    it('about what is not there say so in the shape of their event', async () => {
        const { socket } = await open();
        const version = { expectedVersion: 1 };
        const session = { result: 'error', message: 'Session not found' };
        const machine = { result: 'error', message: 'Machine not found' };
        const artifact = { result: 'error', message: 'Artifact not found' };
        expect(await socket.request('message', { sid: 'x', message: 'm' })).toEqual(session);
        expect(await socket.request('update-metadata', { sid: 'x', metadata: 'm', ...version })).toEqual(session);
        expect(await socket.request('update-state', { sid: 'x', agentState: 'm', ...version })).toEqual(session);
        expect(await socket.request('machine-update-metadata', { machineId: 'x', metadata: 'm', ...version })).toEqual(
            machine,
        );
        expect(await socket.request('machine-update-state', { machineId: 'x', daemonState: 'm', ...version })).toEqual(
            machine,
        );
        expect(await socket.request('artifact-read', { id: 'x' })).toEqual(artifact);
        expect(await socket.request('artifact-delete', { id: 'x' })).toEqual(artifact);
        expect(await socket.request('session-end', { sid: 'x', time: 1 })).toEqual({
            success: false,
            error: 'Session not found',
        });
        expect(await socket.request('access-key-get', { sessionId: 'x', machineId: 'y' })).toEqual({
            ok: false,
            error: 'Session or machine not found',
        });
        const report = { key: 'k', sessionId: 'x', tokens: { total: 1 }, cost: { total: 1 } };
        expect(await socket.request('usage-report', report)).toEqual({ success: false, error: 'Session not found' });
    });

    it('do what their REST twins do, and say what came of it', async () => {
        const { account, socket } = await open();
        const [sid, machineId] = [await createSession(account), await createMachine(account)];
        const message = await socket.request('message', { sid, message: 'hello', localId: 'l' });
        expect(message).toEqual({ result: 'success', id: expect.any(String), seq: 1 });
        expect(await socket.request('message', { sid, message: 'again', localId: 'l' })).toEqual(message);
        expect(await socket.request('update-metadata', { sid, metadata: 'n', expectedVersion: 1 })).toEqual({
            result: 'success',
            version: 2,
            metadata: 'n',
        });
        expect(await socket.request('update-metadata', { sid, metadata: 'o', expectedVersion: 1 })).toEqual({
            result: 'version-mismatch',
            version: 2,
            metadata: 'n',
        });
        expect(await socket.request('update-state', { sid, agentState: 's', expectedVersion: 0 })).toEqual({
            result: 'success',
            version: 1,
            agentState: 's',
        });
        expect(await socket.request('update-state', { sid, agentState: null, expectedVersion: 1 })).toEqual({
            result: 'success',
            version: 2,
            agentState: null,
        });
        expect(
            await socket.request('machine-update-metadata', { machineId, metadata: 'n', expectedVersion: 1 }),
        ).toEqual({
            result: 'success',
            version: 2,
            metadata: 'n',
        });
        expect(
            await socket.request('machine-update-state', { machineId, daemonState: 'd', expectedVersion: 5 }),
        ).toEqual({
            result: 'version-mismatch',
            version: 0,
            daemonState: null,
        });
        const artifact = { id: crypto.randomUUID(), header: 'aGVhZA==', body: 'Ym9keQ==', dataEncryptionKey: 'a2V5' };
        expect(await socket.request('artifact-create', artifact)).toMatchObject({ result: 'success', artifact });
        expect(await socket.request('artifact-read', { id: artifact.id })).toMatchObject({
            result: 'success',
            artifact,
        });
        expect(
            await socket.request('artifact-update', { id: artifact.id, header: 'bmV3', expectedHeaderVersion: 1 }),
        ).toMatchObject({
            result: 'success',
            headerVersion: 2,
        });
        expect(
            await socket.request('artifact-update', { id: artifact.id, header: 'bmV3', expectedHeaderVersion: 1 }),
        ).toMatchObject({
            result: 'version-mismatch',
            currentHeaderVersion: 2,
            currentHeader: 'bmV3',
        });
        expect(await socket.request('artifact-delete', { id: artifact.id })).toEqual({ result: 'success' });
        expect(await socket.request('access-key-get', { sessionId: sid, machineId })).toEqual({
            ok: true,
            accessKey: null,
        });
        const report = { key: 'k', sessionId: sid, tokens: { total: 1 }, cost: { total: 1 } };
        expect(await socket.request('usage-report', report)).toEqual({
            success: true,
            reportId: expect.any(String),
            createdAt: expect.any(Number),
            updatedAt: expect.any(Number),
        });
        expect(await socket.request('session-end', { sid, time: Date.now() })).toEqual({
            success: true,
            activeAt: expect.any(Number),
        });
        expect(await socket.request('session-alive', { sid, time: Date.now() })).toEqual({ result: 'success' });
        expect(await socket.request('app-state', { state: 'active' })).toEqual({ result: 'success' });
    });

    it('keep every character, and refuse what cannot be stored', async () => {
        const { account, socket } = await open();
        const sid = await createSession(account);
        const odd = '🙈\u2028\u2029\u{10ffff}\u0001"\\';
        expect(await socket.request('message', { sid, message: odd, localId: odd })).toMatchObject({
            result: 'success',
        });
        const invalid = { result: 'error', message: 'Invalid parameters' };
        expect(await socket.request('message', { sid, message: 'a\0b' })).toEqual(invalid);
        expect(await socket.request('message', { sid, message: 'a\ud800b' })).toEqual(invalid);
        expect(await socket.request('message', { sid: 'a\0b', message: 'm' })).toEqual(invalid);
        socket.sendText(`{"event":"message","data":{"__proto__":{"sid":"${sid}","message":"m"}},"ackId":"proto"}`);
        expect((await socket.next(({ ackId }) => ackId === 'proto')).ack).toEqual(invalid);
        const stored = await readAll(account, sid);
        expect(stored.map(({ localId, content }) => [localId, content])).toEqual([[odd, { t: 'encrypted', c: odd }]]);
    });

    it('may have 1 MiB; a byte more closes the socket', async () => {
        const { account, socket } = await open();
        const other = await connect(server, account, { host });
        const frameOf = (bytes: number) => {
            const [head, tail] = ['{"event":"broadcast","ackId":"big","data":"', '"}'];
            const text = '€'.repeat(10) + 'x'.repeat(bytes - head.length - tail.length - 30);
            return head + text + tail;
        };
        expect(Buffer.byteLength(frameOf(MIB))).toBe(MIB);
        socket.sendText(frameOf(MIB));
        expect((await socket.next(({ ackId }) => ackId === 'big')).ack).toEqual({ result: 'success' });
        await settled(account, [other]);
        expect(other.all('broadcast')[0]).toHaveLength(MIB - 45 - 20);
        socket.sendText(frameOf(MIB + 1));
        expect(await socket.untilClosed()).toMatchObject({ code: 4008 });
        expect(other.closed).toBeUndefined();
    });

    it('must be texts', async () => {
        const { socket } = await open();
        socket.sendText(new Uint8Array([1, 2, 3]).buffer);
        expect(await socket.untilClosed()).toMatchObject({ code: 1003 });
    });

    // In which order, `order.node.spec.ts` shows: the test pool itself hands an object its events in any order.
    it('are each handled once, however many come at a time', async () => {
        const { account, socket } = await open();
        const sid = await createSession(account);
        const names = Array.from({ length: 60 }, (_, i) => `${i}`);
        for (const name of names) socket.send('message', { sid, message: name, localId: name }, name);
        await expect.poll(() => acks().length, { timeout: 20_000 }).toBe(60);
        const stored = await readAll(account, sid);
        expect(acks()).toEqual(expect.arrayContaining(stored.map(({ localId, seq }) => [localId, seq])));
        expect(stored.map(({ seq }) => seq)).toEqual(names.map((_, i) => i + 1));

        function acks() {
            return socket.frames.filter(({ event }) => event === 'ack').map(({ ackId, ack }) => [ackId, ack.seq]);
        }
    });

    it('that were sent just before a close are handled too', async () => {
        const { account, socket } = await open();
        const sid = await createSession(account);
        for (let i = 0; i < 20; i++) socket.send('message', { sid, message: 'm', localId: `${i}` });
        socket.close();
        await expect.poll(async () => (await readAll(account, sid)).length, { timeout: 10_000 }).toBe(20);
    });

    it('in a flood close their socket, and no other', async () => {
        const { account, socket } = await open();
        const sid = await createSession(account);
        const other = await connect(server, account, { host });
        const message = 'm'.repeat(900_000);
        for (let i = 0; i < 40; i++) socket.send('message', { sid, message, localId: `${i}` });
        expect(await socket.untilClosed(20_000)).toMatchObject({ code: 1008 });
        expect(await other.request('broadcast', 'still here')).toEqual({ result: 'success' });
        // What it was let send before is done; the rest is not.
        const stored = async () => (await account.call('GET', `/v1/sessions/${sid}`)).body.session.seq;
        await expect.poll(stored, { timeout: 20_000 }).toBeGreaterThanOrEqual(18);
        expect(await stored()).toBeLessThan(40);
    });

    it('of one account are never seen by another', async () => {
        const [{ account, socket }, stranger] = [await open(), await open()];
        const sid = await createSession(account);
        await socket.request('broadcast', 'secret');
        await appendTexts(account, sid, ['secret']);
        await settled(stranger.account, [stranger.socket]);
        expect(stranger.socket.frames.map(({ event, data }) => (event === 'broadcast' ? data.type : event))).toEqual([
            'connected',
            'barrier',
        ]);
    });
});

describe('what waits for its turn', () => {
    /** Hands frames to a host whose handler never comes to an end; the codes that its sockets were closed with. */
    function flood(frames: number[], state: object, length = MIB): Promise<(number | undefined)[]> {
        return runInDurableObject(env.ACCOUNT_HUB.getByName(crypto.randomUUID()), (_, ctx) => {
            const host = createSocketHost(
                ctx,
                () => new Promise(() => undefined),
                () => undefined,
            );
            return frames.map((count) => {
                const { socket } = host.accept({ v: 1, wire: 'native', ...state } as SocketState);
                let code: number | undefined;
                socket.close = (given) => void (code = given);
                for (let i = 0; i < count; i++) void host.receive(socket, 'x'.repeat(length));
                return code;
            });
        });
    }
    const known = { id: 'c', accountId: 'a' };

    it('of one socket is 16 MiB at most, of one that has yet to say whose it is one frame', async () => {
        expect(await flood([16], known)).toEqual([undefined]);
        expect(await flood([17], known)).toEqual([1008]);
        expect(await flood([1], { pendingUntil: 0, parts: {} })).toEqual([undefined]);
        expect(await flood([2], { pendingUntil: 0, parts: {} })).toEqual([1008]);
    });

    it('of one socket is 5,000 frames at most, however short they are', async () => {
        expect(await flood([4_500, 6_000], known, 50)).toEqual([undefined, 1008]);
    });

    it('in one object is 32 MiB: past it a socket may have one frame, and those that flood are closed', async () => {
        expect(await flood([16, 16, 1, 2, 16], known)).toEqual([undefined, undefined, undefined, 1008, 1008]);
    });
});

describe('authentication by message', () => {
    it('answers connected with what a header would have given', async () => {
        const account = await createAccount(server);
        const machineId = await createMachine(account);
        const socket = await connect(server, account, { host: 'gateway', clientType: 'machine-scoped', machineId });
        expect(socket.frames[0]?.data).toEqual({
            connectionId: expect.any(String),
            userId: account.id,
            clientType: 'machine-scoped',
            machineId,
            timestamp: expect.any(Number),
            seq: 2,
        });
    });

    it('may find client type and ids in the upgrade', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        const socket = await openSocket(server, { greet: false, query: { clientType: 'session-scoped', sessionId } });
        socket.send('auth', { token: account.token });
        expect((await socket.next(({ event }) => event === 'connected')).data).toMatchObject({
            clientType: 'session-scoped',
            sessionId,
        });
    });

    it.each([
        ['a bad token', 'auth', { token: 'x' }, 4001],
        ['no token', 'auth', {}, 4001],
        ['a token that is no text', 'auth', { token: 5 }, 4001],
        ['another event first', 'message', { sid: 'x', message: 'm' }, 4001],
        ['an empty object', 'auth', null, 4001],
    ])('refuses %s with auth-error, and closes', async (_, event, data, code) => {
        const socket = await openSocket(server, { greet: false });
        socket.send(event, data);
        expect((await socket.untilClosed()).code).toBe(code);
        const error = { code, message: expect.any(String) };
        expect(socket.frames).toEqual([
            { event: 'auth-error', type: 'auth-error', data: error, payload: error, timestamp: expect.any(Number) },
        ]);
    });

    it('is acknowledged when it asks for that, as is everything before it', async () => {
        const { token } = await createAccount(server);
        const said = async (frame: object) => {
            const socket = await openSocket(server, { greet: false });
            socket.sendText(JSON.stringify(frame));
            await socket.next(({ event }) => event === 'connected' || event === 'auth-error');
            await socket.next(({ event }) => event === 'ack');
            return socket.frames.map(({ event, ackId, ack }) => (event === 'ack' ? [ackId, ack] : event));
        };
        const required = 'Authentication required';
        expect(await said({ event: 'auth', data: { token }, ackId: 'a' })).toEqual([
            'connected',
            ['a', { result: 'success' }],
        ]);
        expect(await said({ type: 'auth', payload: { token: 'x' }, messageId: 7 })).toEqual([
            [7, { result: 'error', message: 'Invalid authentication token' }],
            'auth-error',
        ]);
        expect(await said({ event: 'rpc-call', data: { method: 'm' }, ackId: 1 })).toEqual([
            [1, { ok: false, error: required }],
            'auth-error',
        ]);
        expect(await said({ event: 'ping', ackId: 2 })).toEqual([
            [2, { result: 'error', message: required }],
            'auth-error',
        ]);
    });

    it('may be preceded by pings, however they are spelled', async () => {
        const { token } = await createAccount(server);
        const socket = await openSocket(server, { greet: false });
        for (const text of ['{"event":"ping"}', '{"type":"ping"}', '{ "event": "ping" }']) {
            socket.frames.length = 0;
            socket.sendText(text);
            await socket.next(({ event }) => event === 'pong');
        }
        socket.send('auth', { token });
        expect(await socket.next(({ event }) => event === 'connected')).toBeDefined();
    });

    it("closes on unknown client types, missing ids and somebody else's objects as an upgrade does", async () => {
        const [account, other] = [await createAccount(server), await createAccount(server)];
        const [sessionId, machineId] = [await createSession(other), await createMachine(other)];
        const refused = async (data: Record<string, unknown>) => {
            const socket = await openSocket(server, { greet: false });
            socket.send('auth', { token: account.token, ...data });
            return (await socket.untilClosed()).code;
        };
        expect(await refused({ clientType: 'admin' })).toBe(4002);
        expect(await refused({ clientType: 5 })).toBe(4002);
        expect(await refused({ clientType: 'session-scoped' })).toBe(4003);
        expect(await refused({ clientType: 'session-scoped', sessionId })).toBe(4003);
        expect(await refused({ clientType: 'machine-scoped' })).toBe(4004);
        expect(await refused({ clientType: 'machine-scoped', machineId })).toBe(4004);
    });

    it('waits five seconds, and no longer', async () => {
        const startedAt = performance.now();
        const [silent, chatty] = [
            await openSocket(server, { greet: false }),
            await openSocket(server, { greet: false }),
        ];
        chatty.sendText('{"event":"ping"}');
        expect(await silent.untilClosed()).toMatchObject({ code: 4001 });
        expect(await chatty.untilClosed()).toMatchObject({ code: 4001 });
        expect(performance.now() - startedAt).toBeGreaterThan(4_500);
    });
});
