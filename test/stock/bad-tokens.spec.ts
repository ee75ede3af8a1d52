import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { AccountHub } from '@/realtime/hub';
import { gatewayName } from '@/realtime/gateway-name';
import { createRejectedTokens } from '@/realtime/rejected-tokens';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { connectFrames, openFrames } from '@test/helpers/stock-frames';

const server = startServer({ GATEWAY_SHARDS: '100' });
const clock = holdClock();

/** Every test has a gateway of its own. */
let address: string;
let tests = 0;
beforeEach(() => {
    address = `198.51.100.${(tests += 1)}`;
});

const gateway = () => env.SOCKET_GATEWAY.getByName(gatewayName(server.env, 'socket.io', address));

/** Tries a token as a daemon does, and waits for the refusal. */
async function knock(token: string, auth: object = {}): Promise<string> {
    const socket = await openFrames(server, { 'CF-Connecting-IP': address });
    socket.send(`40${JSON.stringify({ token, clientType: 'machine-scoped', machineId: 'm', ...auth })}`);
    const refusal = await socket.next('44');
    await socket.untilClosed();
    return refusal;
}

async function fingerprintOf(masterSecret: string): Promise<string> {
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(masterSecret));
    return Buffer.from(digest).toString('hex').slice(0, 16);
}

/** Counts signature checks, queries and calls to hubs, of everybody in this isolate. */
function count() {
    const verify = vi.spyOn(crypto.subtle, 'verify');
    const prepare = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'prepare');
    const attach = vi.spyOn(AccountHub.prototype, 'attach');
    const detach = vi.spyOn(AccountHub.prototype, 'detach');
    onTestFinished(() => {
        for (const spy of [verify, prepare, attach, detach]) spy.mockRestore();
    });
    return () => ({
        signatures: verify.mock.calls.length,
        queries: prepare.mock.calls.length,
        hubs: attach.mock.calls.length + detach.mock.calls.length,
    });
}

/** A token with a signature of the right form that is wrong. */
async function forgedToken(): Promise<string> {
    const { token } = await createAccount(server);
    const [head, body, signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    return [head, body, bytes.toString('base64url')].join('.');
}

describe('A daemon with a bad token', () => {
    it('costs one signature check and then nothing but the refusal, however often it comes', async () => {
        const token = await forgedToken();
        const costs = count();
        for (let retry = 0; retry < 20; retry++) {
            expect(await knock(token)).toBe('44{"message":"Invalid authentication token"}');
            clock.advance(3_000);
        }
        expect(costs()).toEqual({ signatures: 1, queries: 0, hubs: 0 });
    });

    it('whose token was revoked costs one query and then nothing', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/auth/logout');
        await knock(account.token);
        const costs = count();
        for (let retry = 0; retry < 20; retry++) await knock(account.token);
        expect(costs()).toEqual({ signatures: 0, queries: 0, hubs: 0 });
    });

    it('is remembered for ten minutes', async () => {
        const token = await forgedToken();
        const costs = count();
        await knock(token);
        clock.advance(10 * 60_000 - 1_000);
        await knock(token);
        expect(costs().signatures).toBe(1);
        clock.advance(2_000);
        await knock(token);
        expect(costs().signatures).toBe(2);
    });

    it('is remembered by the gateway it comes to, over an eviction', async () => {
        const token = await forgedToken();
        await knock(token);
        await runInDurableObject(gateway(), async (_, { storage }) => {
            const rows = storage.sql.exec<{ hash: string }>('SELECT hash FROM RejectedToken').toArray();
            expect(rows).toHaveLength(1);
            expect(rows[0]?.hash).not.toContain(token);
            const reopened = createRejectedTokens(storage, () => Date.now());
            expect([reopened.has(rows[0]?.hash ?? ''), reopened.has('another')]).toEqual([true, false]);
        });
    });

    it('does not stand in the way of a good one', async () => {
        const account = await createAccount(server);
        await knock(await forgedToken());
        const socket = await connectFrames(server, { token: account.token }, { 'CF-Connecting-IP': address });
        expect(socket.texts[1]).toMatch(/^40\{"sid"/);
    });

    it('of a new master secret is remembered only where the old one is still at work', async () => {
        const account = await createAccount(server);
        const work = (bindings: object) =>
            runInDurableObject(gateway(), (instance) => {
                (instance as unknown as { env: object }).env = bindings;
            });
        await work({
            ...env,
            HAPPY_MASTER_SECRET: 'the old one',
            HAPPY_DERIVED_KEYS: `v1.${await fingerprintOf('the old one')}.${Buffer.alloc(128, 1).toString('base64')}`,
        });
        expect(await knock(account.token)).toBe('44{"message":"Invalid authentication token"}');
        await work(env);
        const socket = await connectFrames(server, { token: account.token }, { 'CF-Connecting-IP': address });
        expect(socket.texts[1]).toMatch(/^40\{"sid"/);
    });

    it('is not remembered for what was not the token’s fault', async () => {
        const account = await createAccount(server);
        expect(await knock(account.token, { clientType: 'session-scoped', sessionId: 'nobody' })).toBe(
            '44{"message":"Session not found"}',
        );
        const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
        const broken = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'prepare').mockImplementation(() => {
            throw new Error('D1 is down');
        });
        const socket = await openFrames(server, { 'CF-Connecting-IP': address });
        socket.send(`40${JSON.stringify({ token: account.token })}`);
        expect((await socket.untilClosed()).code).toBe(1013);
        broken.mockRestore();
        log.mockRestore();
        expect(socket.texts.some((text) => text.startsWith('44'))).toBe(false);
        await connectFrames(server, { token: account.token }, { 'CF-Connecting-IP': address });
    });
});

describe('The memory of rejected tokens', () => {
    it('is bounded: a flood of inventions writes 200 rows, and goes on once they have ended', async () => {
        await runInDurableObject(gateway(), (_, { storage }) => {
            let now = Date.now();
            const tokens = createRejectedTokens(storage, () => now);
            const rows = () => storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM RejectedToken').one().n;
            for (let i = 0; i < 12_000; i++) tokens.add(`flood-${i}`);
            expect(rows()).toBe(200);
            expect([tokens.has('flood-0'), tokens.has('flood-2001'), tokens.has('flood-11999')]).toEqual([
                false,
                true,
                true,
            ]);
            now += 10 * 60_000 + 1;
            tokens.add('late');
            expect([rows(), tokens.has('flood-11999'), tokens.has('late')]).toEqual([1, false, true]);
        });
    });
});
