import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { connect, settled } from '@test/helpers/socket';
import { connectFrames, openFrames } from '@test/helpers/stock-frames';
import type { StockFrames } from '@test/helpers/stock-frames';

const server = startServer();
const clock = holdClock();

let account: TestAccount;
beforeEach(async () => {
    account = await createAccount(server);
});

const gateway = () => env.SOCKET_GATEWAY.getByName('socketio-0');
const seqs = (socket: StockFrames) => socket.all('update').map(([update]) => update.seq);

describe('The Socket.IO wire', () => {
    it('goes as published clients know it', async () => {
        const socket = await openFrames(server);
        const greeting = JSON.parse(socket.texts[0]?.slice(1) ?? '');
        expect(greeting).toEqual({
            sid: expect.any(String),
            upgrades: [],
            pingInterval: 25_000,
            pingTimeout: 65_000,
            maxPayload: 1_000_000,
        });
        socket.send(
            `40${JSON.stringify({ token: account.token, clientType: 'user-scoped', happyClient: 'ios/1.7.0' })}`,
        );
        const { sid, pid } = JSON.parse((await socket.next('40')).slice(2));
        expect([typeof sid, pid]).toEqual(['string', `${sid}.0`]);
        socket.send('42["rpc-register",{"method":"m:bash"}]');
        expect(await socket.next('42')).toBe('42["rpc-registered",{"method":"m:bash"}]');
        socket.send('420["unheard-of"]');
        expect(await socket.next('43')).toBe('430[{"result":"error","message":"Unknown event"}]');
        socket.send('42["rpc-unregister",{"method":"m:bash"}]');
        expect(await socket.next('42["rpc-un')).toBe('42["rpc-unregistered",{"method":"m:bash"}]');
        socket.send('42["rpc-register",{}]');
        expect(await socket.next('42["rpc-error')).toBe(
            '42["rpc-error",{"type":"register","error":"Invalid method name"}]',
        );
        socket.send('41');
        expect((await socket.untilClosed()).code).toBe(1000);
        expect(socket.texts.some((text) => text.startsWith('41'))).toBe(false);
    });

    it.each([
        ['?EIO=4&transport=polling', {}],
        ['?EIO=4&transport=polling&sid=x', {}],
        ['?EIO=4', {}],
        ['?EIO=4&transport=websocket', {}],
        ['?EIO=3&transport=websocket', { Upgrade: 'websocket' }],
        ['?EIO=5&transport=websocket', { Upgrade: 'websocket' }],
        ['?EIO=4&transport=webtransport', { Upgrade: 'websocket' }],
        ['?EIO=4&transport=websocket&sid=x', { Upgrade: 'websocket' }],
    ])('refuses %s', async (query, headers) => {
        for (const path of ['/v1/updates/', '/v1/updates', '/v1/websocket']) {
            const response = await server.fetch(path + query, { headers });
            expect([response.status, await response.json()]).toEqual([
                400,
                { error: expect.any(String), code: 'VALIDATION_FAILED', requestId: expect.any(String) },
            ]);
        }
    });

    it('takes upgrades on every path, and up to the limit of an address', async () => {
        const asked: string[] = [];
        let left = 2;
        const limiter = { limit: async ({ key }: { key: string }) => ({ success: asked.push(key) > 0 && left-- > 0 }) };
        const limited = startServer({ UPGRADE_LIMITER: limiter });
        const from = (address: string) => ({ headers: { Upgrade: 'websocket', 'CF-Connecting-IP': address } });
        const statuses = [];
        for (const path of ['/v1/updates', '/v1/websocket/', '/v1/updates/']) {
            const { status, webSocket } = await limited.fetch(`${path}?EIO=4&transport=websocket`, from('192.0.2.7'));
            webSocket?.accept();
            webSocket?.close();
            statuses.push(status);
        }
        expect(statuses).toEqual([101, 101, 429]);
        expect(new Set(asked)).toEqual(new Set(['192.0.2.7']));
    });

    it.each([
        ['a binary frame', new ArrayBuffer(4), 1003],
        ['a binary packet', '451-["x",{"_placeholder":true,"num":0}]', 1003],
        ['what is no packet', 'hello', 1003],
        ['a packet without a payload that fits', '42{"not":"an array"}', 1003],
        ['a name reserved for clients', '42["disconnect"]', 1003],
        ['another namespace', '40/admin,{}', 1003],
        ['an ack id past all numbers', `42${'9'.repeat(20)}["ping"]`, 1003],
        ['a frame of more than 1 MiB', `42${JSON.stringify(['x', 'y'.repeat(1024 * 1024)])}`, 4008],
    ])('is closed by %s', async (_, frame, code) => {
        const socket = await connectFrames(server, { token: account.token });
        socket.send(frame);
        expect((await socket.untilClosed()).code).toBe(code);
    });

    it('is refused when it speaks before it says whose it is, and when it says nothing for 20 s', async () => {
        const hasty = await openFrames(server);
        hasty.send('42["rpc-call",{"method":"m:bash"}]');
        expect(await hasty.next('44')).toBe('44{"message":"Authentication required"}');
        await hasty.untilClosed();

        const silent = await openFrames(server);
        clock.advance(19_000);
        await runDurableObjectAlarm(gateway());
        expect(silent.closed).toBeUndefined();
        clock.advance(1_000);
        await runDurableObjectAlarm(gateway());
        expect((await silent.untilClosed()).code).toBe(4001);
    });

    it('never has a socket of its own told to start over: it is closed, and comes back unrecovered', async () => {
        const sid = await createSession(account);
        const socket = await connectFrames(server, { token: account.token });
        const { pid } = JSON.parse((await socket.next('40')).slice(2));
        await env.ACCOUNT_HUB.getByName(account.id).publish({ seq: 5, updates: [], ephemerals: [] });
        clock.advance(2_000);
        await runDurableObjectAlarm(env.ACCOUNT_HUB.getByName(account.id));
        expect((await socket.untilClosed()).code).toBe(1012);

        const back = await connectFrames(server, { pid, offset: '1', token: account.token });
        const answer = JSON.parse((await back.next('40')).slice(2));
        expect(answer.pid).toBe(`${answer.sid}.5`);
        expect(back.all('update')).toEqual([]);
        expect(sid).toEqual(expect.any(String));
    });
});

describe('Recovery', () => {
    const resume = async (offset: string | undefined, pid: string) => {
        const socket = await connectFrames(server, {
            pid,
            ...(offset !== undefined && { offset }),
            token: account.token,
        });
        const answer = JSON.parse((await socket.next('40')).slice(2));
        const device = await connect(server, account);
        await settled(account, [device]);
        await socket.next('42["broadcast"');
        return { recovered: answer.pid === pid, seqs: seqs(socket) };
    };

    it.each([
        ['after its offset', '2', 'x.1', true, [3, 4]],
        ['after its pid, having got nothing', undefined, 'x.1', true, [2, 3, 4]],
        ['after its pid, if the offset is older', '1', 'x.3', true, [4]],
        ['of nothing, if there is nothing', '4', 'x.1', true, []],
        ['not after a number of the future', '5', 'x.1', false, []],
        ['not with a pid that is none', '2', 'x', false, []],
        ['after its pid, if the offset is none', 'abc', 'x.2', true, [3, 4]],
    ])('is %s', async (_, offset, pid, recovered, expected) => {
        const sid = await createSession(account);
        await appendTexts(account, sid, ['a', 'b', 'c']);
        expect(await resume(offset, pid)).toEqual({ recovered, seqs: expected });
    });

    it('is not what lies before the log', async () => {
        const sid = await createSession(account);
        await appendTexts(account, sid, ['a']);
        await runInDurableObject(env.ACCOUNT_HUB.getByName(account.id), (hub) =>
            expect(hub.updatesSince(0)).toHaveLength(2),
        );
        clock.advance(25 * 3_600_000);
        expect(await resume('1', 'x.1')).toEqual({ recovered: false, seqs: [] });
    });
});

describe('Between both doors', () => {
    it('calls go either way', async () => {
        const native = await connect(server, account, { host: 'gateway' });
        const stock = await connectFrames(server, { token: account.token });
        await native.request('rpc-register', { method: 'n:echo' });
        await stock.request('rpc-register', { method: 's:echo' });

        const outward = stock.request('rpc-call', { method: 'n:echo', params: 'p' });
        const { data, ackId } = await native.next(({ event }) => event === 'rpc-request');
        expect(data).toEqual({ method: 'n:echo', params: 'p' });
        native.sendText(JSON.stringify({ event: 'rpc-response', ackId, ack: 'from native' }));
        expect(await outward).toEqual({ ok: true, result: 'from native' });

        const inward = native.request('rpc-call', { method: 's:echo', params: 'q' });
        await expect.poll(() => stock.all('rpc-request')).toHaveLength(1);
        const asked = /^42(\d+)(.*)$/.exec(stock.texts.at(-1) ?? '');
        expect(JSON.parse(asked?.[2] ?? '')).toEqual(['rpc-request', { method: 's:echo', params: 'q' }]);
        stock.send(`43${asked?.[1]}["from stock"]`);
        expect(await inward).toEqual({ ok: true, result: 'from stock' });
    });

    it('updates and broadcasts do; what stock clients would choke on does not', async () => {
        const sid = await createSession(account);
        const native = await connect(server, account);
        const stock = await connectFrames(server, { token: account.token });
        await account.call('POST', `/v1/sessions/${sid}/messages`, { content: { plain: true }, localId: 'plain' });
        await account.call('POST', `/v1/sessions/${sid}/messages`, { content: 'text', localId: 'text' });
        await appendTexts(account, sid, ['encrypted']);
        await settled(account, [native]);
        await stock.next('42["broadcast"');
        expect(native.updates().map(({ seq }) => seq)).toEqual([2, 3, 4]);
        expect(seqs(stock)).toEqual([4]);
    });
});
