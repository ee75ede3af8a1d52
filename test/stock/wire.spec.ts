import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { gatewayName } from '@/realtime/gateway-name';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { cutOffGateways } from '@test/helpers/hubs';
import { connect, settled } from '@test/helpers/socket';
import { connectFrames, openFrames } from '@test/helpers/stock-frames';
import type { StockFrames } from '@test/helpers/stock-frames';

const server = startServer();
const clock = holdClock();

let account: TestAccount;
beforeEach(async () => {
    account = await createAccount(server);
});

const UNKNOWN = { result: 'error', message: 'Unknown event' };
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
        expect([typeof sid, pid]).toEqual(['string', `${account.id}:0`]);
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
            const body: { error: string } = await response.json();
            const issues = [{ path: '', message: body.error }];
            expect([response.status, body]).toEqual([
                400,
                { error: expect.any(String), code: 'VALIDATION_FAILED', requestId: expect.any(String), issues },
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

    it('is turned away by a gateway that holds 10,000, and not by one that held them once', async () => {
        const address = { 'CF-Connecting-IP': '192.0.2.200' };
        const sharded = startServer({ GATEWAY_SHARDS: '100' });
        const stub = env.SOCKET_GATEWAY.getByName(gatewayName(sharded.env, 'socket.io', '192.0.2.200'));
        const upgrade = () =>
            sharded.fetch('/v1/updates/?EIO=4&transport=websocket', { headers: { Upgrade: 'websocket', ...address } });
        await openFrames(sharded, address);
        await runInDurableObject(stub, (instance) => void Object.assign(instance, { sockets: 10_000 }));
        await openFrames(sharded, address);
        await runInDurableObject(stub, (instance, ctx) => {
            const one = ctx.getWebSockets().slice(0, 1);
            vi.spyOn(ctx, 'getWebSockets').mockReturnValue(Array.from({ length: 10_000 }).flatMap(() => one));
            Object.assign(instance, { sockets: 10_000 });
        });
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        const refused = await upgrade();
        log.mockRestore();
        expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'SERVICE_UNAVAILABLE' }]);
        await runInDurableObject(stub, (_, ctx) => vi.mocked(ctx.getWebSockets).mockRestore());
        await openFrames(sharded, address);
    });

    it.each([
        ['a binary frame', new ArrayBuffer(4), 1003],
        ['a binary frame in base64', 'bAQIDBA==', 1003],
        ['a binary packet', '451-["x",{"_placeholder":true,"num":0}]', 1003],
        ['a binary acknowledgement', '461-0[{"_placeholder":true,"num":0}]', 1003],
        ['attachments without end', '4599999999999-["x"]', 1003],
        ['attachments without a number', '45-["x"]', 1003],
        ['an upgrade of the transport', '5', 1003],
        ['a handshake of its own', '0{"sid":"x"}', 1003],
        ['a refusal', '44{"message":"no"}', 1003],
        ['what is no packet', 'hello', 1003],
        ['a packet without a payload that fits', '42{"not":"an array"}', 1003],
        ['a name reserved for clients', '42["disconnect"]', 1003],
        ['another such name', '420["connect_error",{}]', 1003],
        ['a name that is no text', '420[{"name":"ping"}]', 1003],
        ['no name', '420[]', 1003],
        ['another namespace', '40/admin,{}', 1003],
        ['an event of another namespace', '42/admin,0["ping"]', 1003],
        ['an answer to nothing', '43["x"]', 1003],
        ['an answer nested without end', `430[${'['.repeat(2500)}${']'.repeat(2500)}]`, 1003],
        ['an ack id past all numbers', `42${'9'.repeat(20)}["ping"]`, 1003],
        ['a frame of more than 1 MiB', `42${JSON.stringify(['x', 'y'.repeat(1024 * 1024)])}`, 4008],
    ])('is closed by %s', async (_, frame, code) => {
        const socket = await connectFrames(server, { token: account.token });
        socket.send(frame);
        expect((await socket.untilClosed()).code).toBe(code);
    });

    it('takes no second word for who somebody is', async () => {
        const other = await createAccount(server);
        const socket = await connectFrames(server, { token: account.token });
        const sid = await createSession(account);
        socket.send(`40${JSON.stringify({ token: other.token })}`);
        socket.send(`400${JSON.stringify({ token: 'bad' })}`);
        expect(await socket.request('auth', { token: other.token })).toEqual(UNKNOWN);
        expect(await socket.request('message', { sid, message: 'bQ==' })).toMatchObject({ result: 'success' });
        expect(socket.texts.filter((text) => text.startsWith('40'))).toHaveLength(1);
        expect(socket.texts.filter((text) => text.startsWith('44'))).toEqual([]);
    });

    it('acknowledges names that are numbers, or that every object has, and ids that come twice', async () => {
        const socket = await connectFrames(server, { token: account.token });
        for (const name of ['7', '"constructor"', '"__proto__"', '"connected"', '"update"', '"rpc-request"', '""']) {
            socket.send(`42${Number.MAX_SAFE_INTEGER}[${name},{"__proto__":{"token":"x"}}]`);
        }
        await socket.request('ping');
        expect(socket.texts.filter((text) => text.startsWith(`43${Number.MAX_SAFE_INTEGER}`))).toEqual(
            Array.from({ length: 7 }, () => `43${Number.MAX_SAFE_INTEGER}[${JSON.stringify(UNKNOWN)}]`),
        );
        // Nobody asked for these.
        socket.send('4312345["x"]');
        socket.send('437[]');
        expect(await socket.request('ping')).toEqual({ result: 'success' });
    });

    it.each([600, 2500, 100_000])('passes on nothing that is nested %i levels deep', async (levels) => {
        const near = await connect(server, account);
        const [socket, other] = [
            await connectFrames(server, { token: account.token }),
            await connectFrames(server, { token: account.token }),
        ];
        const nest = '['.repeat(levels) + ']'.repeat(levels);
        await other.request('rpc-register', { method: 'm:deep' });
        socket.send(`421["broadcast",${nest}]`);
        expect(await socket.next('431[')).toBe('431[{"result":"error","message":"Nested too deep"}]');
        socket.send(`422["rpc-call",{"method":"m:deep","params":${nest}}]`);
        expect(await socket.next('432[')).toBe('432[{"ok":false,"error":"Nested too deep"}]');
        near.sendText(`{"event":"broadcast","ackId":"n","data":${nest}}`);
        expect((await near.next(({ ackId }) => ackId === 'n')).ack).toMatchObject({ result: 'error' });
        // Nobody is lost by it.
        await settled(account, [near]);
        await other.next('42["broadcast"');
        expect(other.all('broadcast')).toHaveLength(1);
    });

    it('is refused when it speaks before it says whose it is, and when it says nothing for 20 s', async () => {
        const hasty = await openFrames(server);
        hasty.send('42["rpc-call",{"method":"m:bash"}]');
        expect(await hasty.next('44')).toBe('44{"message":"Authentication required"}');
        await hasty.untilClosed();
        const sly = await openFrames(server);
        sly.send(`42["auth",{"token":"${account.token}","lastSeq":0,"pid":"anything"}]`);
        expect(await sly.next('44')).toBe('44{"message":"Authentication required"}');

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

        const back = await connectFrames(server, { pid, offset: `${account.id}:1`, token: account.token });
        const answer = JSON.parse((await back.next('40')).slice(2));
        expect(answer.pid).toBe(`${account.id}:5`);
        expect(back.all('update')).toEqual([]);
        expect(sid).toEqual(expect.any(String));
    });
});

describe('Recovery', () => {
    const resume = async (offset: string | undefined, pidOf: string) => {
        const pid = pidOf.replace('x', account.id);
        const socket = await connectFrames(server, {
            pid,
            ...(offset !== undefined && { offset: offset.replace('x', account.id) }),
            token: account.token,
        });
        const answer = JSON.parse((await socket.next('40')).slice(2));
        const device = await connect(server, account);
        await settled(account, [device]);
        await socket.next('42["broadcast"');
        return { recovered: answer.pid === pid, seqs: seqs(socket) };
    };

    it.each([
        ['after its offset', 'x:2', 'x:1', true, [3, 4]],
        ['after its pid, having got nothing', undefined, 'x:1', true, [2, 3, 4]],
        ['after its pid, if the offset is older', 'x:1', 'x:3', true, [4]],
        ['after its pid, if the offset is of another account', 'another:3', 'x:1', true, [2, 3, 4]],
        ['of nothing, if there is nothing', 'x:4', 'x:1', true, []],
        ['not after a number of the future', 'x:5', 'x:1', false, []],
        ['not with a pid that is none', 'x:2', 'x', false, []],
        ['not with a pid of another account', 'x:2', 'another:1', false, []],
        ['not with a pid that only begins like ours', 'x:2', 'xy:1', false, []],
        ['not after a pid of the future', 'x:2', 'x:5', false, []],
        ['not with an endless number', 'x:2', `x:${'9'.repeat(400)}`, false, []],
        ['after its pid, if the offset is none', 'abc', 'x:2', true, [3, 4]],
        ['after its pid, if the offset does not say whose it is', '4', 'x:2', true, [3, 4]],
        ['not as it once was, when no offset said whose it is', '2', 'x.1', false, []],
    ])('is %s', async (_, offset, pid, recovered, expected) => {
        const sid = await createSession(account);
        await appendTexts(account, sid, ['a', 'b', 'c']);
        expect(await resume(offset, pid)).toEqual({ recovered, seqs: expected });
    });

    it('is of exactly what was missed while its gateway could not be reached', async () => {
        const sid = await createSession(account);
        const socket = await connectFrames(server, { token: account.token });
        const { pid } = JSON.parse((await socket.next('40')).slice(2));
        const hub = env.ACCOUNT_HUB.getByName(account.id);
        const mend = await cutOffGateways(account.id);
        await appendTexts(account, sid, ['a', 'b']);
        await expect.poll(async () => (await hub.stats()).totalConnections).toBe(0);
        await mend();
        clock.advance(10_000);
        await runDurableObjectAlarm(hub);
        expect((await socket.untilClosed()).code).toBe(1012);
        expect(socket.all('update')).toEqual([]);
        expect([pid, await resume('x:1', 'x:1')]).toEqual([`${account.id}:1`, { recovered: true, seqs: [2, 3] }]);
    });

    it('is not what lies before the log', async () => {
        const sid = await createSession(account);
        await appendTexts(account, sid, ['a']);
        await runInDurableObject(env.ACCOUNT_HUB.getByName(account.id), (hub) =>
            expect(hub.updatesSince(0)).toHaveLength(2),
        );
        clock.advance(24 * 3_600_000 - 10_000);
        expect(await resume('x:1', 'x:1')).toEqual({ recovered: true, seqs: [2] });
        clock.advance(20_000);
        expect(await resume('x:1', 'x:1')).toEqual({ recovered: false, seqs: [] });
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
        const more = { t: 'encrypted', c: 'text', more: 1 };
        await account.call('POST', `/v1/sessions/${sid}/messages`, { content: more, localId: 'more' });
        await appendTexts(account, sid, ['encrypted']);
        await settled(account, [native]);
        await stock.next('42["broadcast"');
        expect(native.updates().map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
        expect(seqs(stock)).toEqual([5]);
        const answer = await stock.request('request-updates-since', { seq: 1 });
        expect([answer.seq, answer.updates.map(({ seq }: { seq: number }) => seq)]).toEqual([5, [5]]);
        expect(await stock.request('request-updates-since', { seq: 6 })).toMatchObject({ success: false });
    });
});
