import { WebSocket } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Socket } from 'socket.io-client';
import {
    connect,
    createStockAccount,
    createStockMachine,
    createStockSession,
    createStockSocket,
    openStockSocket,
    until,
} from '@test/helpers/stock-client';
import type { StockAccount, StockSocket } from '@test/helpers/stock-client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

let server: WorkerdServer;
const clients: Socket[] = [];

beforeAll(async () => {
    server = await startWorkerd();
});
afterAll(() => server.stop());
afterEach(() => {
    for (const client of clients.splice(0)) client.close();
});

async function open(
    account: StockAccount,
    auth?: object,
    options?: Parameters<typeof openStockSocket>[3],
): Promise<StockSocket> {
    const socket = await openStockSocket(server.url, account, auth, options);
    clients.push(socket.io);
    return socket;
}

async function refusalOf(auth: object): Promise<string> {
    const socket = createStockSocket(server.url, auth);
    clients.push(socket.io);
    return connect(socket).then(
        () => 'none',
        (error: Error) => error.message,
    );
}

describe('The published Socket.IO client', () => {
    it('is connected, and told what the account writes', async () => {
        const account = await createStockAccount(server.url);
        const socket = await open(account);
        expect(socket.io.recovered).toBe(false);

        const sid = await createStockSession(account);
        await account.call('POST', `v3/sessions/${sid}/messages`, { messages: [{ content: 'aGk=', localId: 'a' }] });

        const update = await socket.next('update', ({ body }) => body.t === 'new-message');
        expect(update.body).toMatchObject({
            sid,
            message: { seq: 1, localId: 'a', content: { t: 'encrypted', c: 'aGk=' } },
        });
        expect(socket.events.map(({ event, args }) => [event, args[0].body.t, args[1]])).toEqual([
            ['update', 'new-session', `${account.id}:1`],
            ['update', 'new-message', `${account.id}:2`],
        ]);
    });

    it.each([
        ['no token', {}, 'Missing authentication token'],
        ['a bad token', { token: 'a.b.c' }, 'Invalid authentication token'],
        [
            'no session id',
            { token: 'a.b.c', clientType: 'session-scoped' },
            'Session ID required for session-scoped clients',
        ],
        [
            'no machine id',
            { token: 'a.b.c', clientType: 'machine-scoped' },
            'Machine ID required for machine-scoped clients',
        ],
    ])('is refused with %s', async (_, auth, message) => {
        expect(await refusalOf(auth)).toBe(message);
    });

    it('is refused when it wants to follow what is not the account’s', async () => {
        const account = await createStockAccount(server.url);
        const other = await createStockAccount(server.url);
        const sessionId = await createStockSession(other);
        const machineId = await createStockMachine(other);
        const { token } = account;
        expect(await refusalOf({ token, clientType: 'session-scoped', sessionId })).toBe('Session not found');
        expect(await refusalOf({ token, clientType: 'machine-scoped', machineId })).toBe('Machine not found');
    });

    it('is refused past 100 sockets of its account, wherever they are', async () => {
        const account = await createStockAccount(server.url);
        await Promise.all(Array.from({ length: 100 }, () => open(account)));
        expect(await refusalOf({ token: account.token })).toBe('Too many connections');
        clients[0]?.close();
        await expect.poll(() => refusalOf({ token: account.token })).toBe('none');
    });

    it('whose token ends loses its connection without a goodbye, and is refused when it comes back', async () => {
        const account = await createStockAccount(server.url);
        const { io: client } = await open(account, {}, { reconnection: true, reconnectionDelay: 10 });
        const lost = new Promise((resolve) => client.once('disconnect', resolve));
        const refused = new Promise<Error>((resolve) => client.once('connect_error', resolve));
        await account.call('POST', 'v1/auth/logout');
        // After "io server disconnect" apps would never come back.
        expect(await lost).toBe('transport close');
        expect((await refused).message).toBe('Invalid authentication token');
    });

    it('that begins with long-polling is told so at once, and one that sends binary data is let go', async () => {
        const account = await createStockAccount(server.url);
        const polling = createStockSocket(server.url, { token: account.token }, { transports: ['polling'] });
        clients.push(polling.io);
        await expect(connect(polling)).rejects.toMatchObject({ description: 400 });

        const { io: client } = await open(account);
        const lost = new Promise((resolve) => client.once('disconnect', resolve));
        client.emit('broadcast', { file: Buffer.from([1, 2, 3]) });
        expect(await lost).toBe('transport close');
    });

    it('gets an acknowledgement for every event that asks for one', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const socket = await open(account, { clientType: 'session-scoped', sessionId: sid });
        const ask = (event: string, data?: unknown) => socket.io.emitWithAck(event, data);

        expect(await ask('message', { sid, message: 'aGk=', localId: 'm' })).toEqual({
            result: 'success',
            id: expect.any(String),
            seq: 1,
        });
        expect(await ask('update-metadata', { sid, metadata: 'bmV3', expectedVersion: 1 })).toEqual({
            result: 'success',
            version: 2,
            metadata: 'bmV3',
        });
        expect(await ask('update-metadata', { sid, metadata: 'b2xk', expectedVersion: 1 })).toEqual({
            result: 'version-mismatch',
            version: 2,
            metadata: 'bmV3',
        });
        expect(await ask('update-metadata', { sid: 'nobody', metadata: 'b2xk', expectedVersion: 1 })).toMatchObject({
            result: 'error',
        });
        expect(await ask('update-state', { sid, agentState: 'c3RhdGU=', expectedVersion: 0 })).toEqual({
            result: 'success',
            version: 1,
            agentState: 'c3RhdGU=',
        });
        expect(await ask('session-alive', { sid, time: Date.now(), thinking: true })).toEqual({ result: 'success' });
        expect(await ask('ping')).toEqual({ result: 'success' });
        expect(await ask('unheard-of', {})).toEqual({ result: 'error', message: 'Unknown event' });
        expect(await ask('session-end', { sid, time: Date.now() })).toMatchObject({ success: true });
    });

    it('does not get back what it wrote by socket, but what it wrote by REST', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const socket = await open(account, { clientType: 'session-scoped', sessionId: sid });
        await socket.io.emitWithAck('message', { sid, message: 'b25l', localId: 'one' });
        await account.call('POST', `v3/sessions/${sid}/messages`, { messages: [{ content: 'dHdv', localId: 'two' }] });
        await socket.next('update');
        expect(socket.updates().map(({ body }) => body.message.localId)).toEqual(['two']);
    });

    it('is asked and answers, from Socket.IO to Socket.IO', async () => {
        const account = await createStockAccount(server.url);
        const machineId = await createStockMachine(account);
        const daemon = await open(account, { clientType: 'machine-scoped', machineId });
        const app = await open(account);
        const method = `${machineId}:bash`;
        daemon.io.on('rpc-request', ({ params }: { params: string }, answer: (result: string) => void) =>
            answer(`${params}!`),
        );
        daemon.io.emit('rpc-register', { method });
        expect(await daemon.next('rpc-registered')).toEqual({ method });

        expect(await app.io.emitWithAck('rpc-call', { method, params: 'ls' })).toEqual({ ok: true, result: 'ls!' });
        const many = await Promise.all(
            Array.from({ length: 20 }, (_, i) => app.io.emitWithAck('rpc-call', { method, params: `${i}` })),
        );
        expect(many.map(({ result }) => result)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}!`));
        expect(await daemon.io.emitWithAck('rpc-call', { method, params: 'ls' })).toEqual({
            ok: false,
            error: 'Cannot call RPC on the same socket',
        });
        expect(await app.io.emitWithAck('rpc-call', { params: 'ls' })).toEqual({
            ok: false,
            error: 'Invalid parameters: method is required',
        });
    });

    it('is asked by native clients and asks them', async () => {
        const account = await createStockAccount(server.url);
        const machineId = await createStockMachine(account);
        const daemon = await open(account, { clientType: 'machine-scoped', machineId });
        daemon.io.on('rpc-request', ({ params }: { params: string }, answer: (result: string) => void) =>
            answer(`${params}, says the daemon`),
        );
        daemon.io.emit('rpc-register', { method: `${machineId}:bash` });
        await daemon.next('rpc-registered');

        const headers = { Authorization: `Bearer ${account.token}` };
        const native = new WebSocket(new URL('v1/updates', server.url.replace('http', 'ws')), { headers });
        onTestFinished(() => native.close());
        // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
        const frames: any[] = [];
        native.addEventListener('message', ({ data }) => void frames.push(JSON.parse(String(data))));
        const send = (frame: object) => native.send(JSON.stringify(frame));
        const next = (name: string) => until(() => frames.find(({ event }) => event === name), name);
        await next('connected');

        send({ event: 'rpc-call', ackId: 'a', data: { method: `${machineId}:bash`, params: 'ls' } });
        expect((await next('ack')).ack).toEqual({ ok: true, result: 'ls, says the daemon' });
        send({ event: 'rpc-register', data: { method: 'native:hi' } });
        await next('rpc-registered');
        const answered = daemon.io.emitWithAck('rpc-call', { method: 'native:hi', params: 'p' });
        const { data, ackId } = await next('rpc-request');
        send({ event: 'rpc-response', ackId, ack: `${data.params}, says the native one` });
        expect(await answered).toEqual({ ok: true, result: 'p, says the native one' });
    });

    it('is told that its machine or session lives', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const machineId = await createStockMachine(account);
        const app = await open(account);
        const daemon = await open(account, { clientType: 'machine-scoped', machineId });
        await app.next('ephemeral', ({ type, active }) => type === 'machine-activity' && active === true);
        const session = await open(account, { clientType: 'session-scoped', sessionId: sid });
        session.io.volatile.emit('session-alive', { sid, time: Date.now(), thinking: true });
        expect(await app.next('ephemeral', ({ type }) => type === 'activity')).toMatchObject({
            id: sid,
            active: true,
            thinking: true,
        });
        daemon.io.close();
        await app.next('ephemeral', ({ type, active }) => type === 'machine-activity' && active === false);
    });

    it('may send at once what it has kept of 1,500 messages, as happy-coder does when it is back', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const socket = createStockSocket(server.url, { token: account.token });
        clients.push(socket.io);
        const kept = Array.from({ length: 1_500 }, (_, i) => `${i}`);
        for (const message of kept) socket.io.emit('message', { sid, message });
        await connect(socket);
        await socket.io.emitWithAck('ping');
        const stored = [];
        for (let page = { hasMore: true, messages: [] as { content: { c: string } }[] }; page.hasMore;) {
            page = await account.call('GET', `v3/sessions/${sid}/messages?after_seq=${stored.length}&limit=500`);
            stored.push(...page.messages.map(({ content }) => content.c));
        }
        expect(stored).toEqual(kept);
    });

    it('leaves in good order: what it sent before is done', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const app = await open(account);
        const session = await open(account, { clientType: 'session-scoped', sessionId: sid });
        session.io.emit('update-metadata', { sid, metadata: 'YXJjaGl2ZWQ=', expectedVersion: 1 });
        session.io.emit('session-end', { sid, time: Date.now() });
        session.io.close();
        expect(await app.next('update', ({ body }) => body.t === 'update-session')).toMatchObject({
            body: { metadata: { value: 'YXJjaGl2ZWQ=' } },
        });
        expect(await app.next('ephemeral', ({ type }) => type === 'activity')).toMatchObject({
            id: sid,
            active: false,
        });
    });
});

describe('Connection state recovery', () => {
    it('replays exactly what was missed to an app, and says so', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const app = await open(account);
        const write = (localId: string) =>
            account.call('POST', `v3/sessions/${sid}/messages`, { messages: [{ content: 'aGk=', localId }] });
        await write('1');
        await app.next('update');
        await cut(app);
        await write('2');
        await write('3');
        await connect(app);

        expect(app.io.recovered).toBe(true);
        await app.next('update', ({ body }) => body.message.localId === '3');
        await write('4');
        await app.next('update', ({ body }) => body.message.localId === '4');
        expect(app.updates().map(({ body }) => body.message.localId)).toEqual(['1', '2', '3', '4']);
    });

    it('knows what was missed by one that never got an update', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const app = await open(account);
        await cut(app);
        await account.call('POST', `v3/sessions/${sid}/messages`, { messages: [{ content: 'aGk=', localId: '1' }] });
        await connect(app);
        expect(app.io.recovered).toBe(true);
        await app.next('update');
        expect(app.updates()).toHaveLength(1);
    });

    it('knows what was missed by one whose user changed, however far the other account is', async () => {
        const [first, second] = [await createStockAccount(server.url), await createStockAccount(server.url)];
        let { token } = first;
        const app = createStockSocket(server.url, (take: (auth: object) => void) => take({ token }));
        clients.push(app.io);
        await connect(app);
        for (let i = 0; i < 3; i += 1) await createStockSession(first);
        await app.next('update', ({ seq }) => seq === 3);
        await cut(app);

        await createStockSession(second);
        ({ token } = second);
        await connect(app);
        expect(app.io.recovered).toBe(false);
        await cut(app);
        const missed = [await createStockSession(second), await createStockSession(second)];
        await connect(app);
        expect(app.io.recovered).toBe(true);
        await app.next('update', ({ body }) => body.id === missed[1]);
        expect(app.updates().map(({ seq }) => seq)).toEqual([1, 2, 3, 2, 3]);
    });

    it('holds over the loss of every process', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const app = await open(account);
        const write = (localId: string) =>
            account.call('POST', `v3/sessions/${sid}/messages`, { messages: [{ content: 'aGk=', localId }] });
        await write('1');
        await app.next('update');
        await server.restart();
        await until(() => app.io.disconnected, 'disconnect');
        await write('2');
        await connect(app);
        expect(app.io.recovered).toBe(true);
        await app.next('update', ({ body }) => body.message.localId === '2');
        expect(app.updates().map(({ body }) => body.message.localId)).toEqual(['1', '2']);
    });

    it('is not for sessions and machines, which load what they missed', async () => {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const machineId = await createStockMachine(account);
        for (const auth of [
            { clientType: 'session-scoped', sessionId: sid },
            { clientType: 'machine-scoped', machineId },
        ]) {
            const socket = await open(account, auth);
            await cut(socket);
            await account.call('POST', `v3/sessions/${sid}/messages`, {
                messages: [{ content: 'aGk=', localId: machineId + auth.clientType }],
            });
            await connect(socket);
            expect(socket.io.recovered).toBeFalsy();
            await socket.io.emitWithAck('ping');
            expect(socket.updates()).toEqual([]);
        }
    });
});

/** Loses the connection, as in a tunnel: without a word, and without forgetting where it was. */
async function cut({ io: client }: StockSocket): Promise<void> {
    client.io.engine.close();
    await until(() => client.disconnected, 'disconnect');
}
