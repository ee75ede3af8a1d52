import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import type { TestSocket } from '@test/helpers/socket';
import { connect, settled } from '@test/helpers/socket';

const server = startServer();

/** Nightly they sleep three times; in CI once. */
const SLEEPS = env.TEST_NIGHTLY ? 3 : 1;
const ACCOUNTS = 20;
/** The runtime puts an object to sleep after about ten seconds without an event. */
const IDLE_MS = 12_500;
/** By then the gateway has no socket left to wait for, and hubs have seen that nothing is active. */
const REST_MS = 6_000;

interface Sleeper {
    account: TestAccount;
    sid: string;
    sockets: Record<'app' | 'cli' | 'farApp' | 'farCli', TestSocket>;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function createSleeper(): Promise<Sleeper> {
    const account = await createAccount(server);
    const sid = await createSession(account);
    const scope = { clientType: 'session-scoped', sessionId: sid };
    const sockets = {
        app: await connect(server, account),
        cli: await connect(server, account, scope),
        farApp: await connect(server, account, { host: 'gateway' }),
        farCli: await connect(server, account, { host: 'gateway', ...scope }),
    };
    for (const name of ['cli', 'farCli'] as const) {
        await sockets[name].request('rpc-register', { method: `${sid}:${name}` });
    }
    await sockets.farApp.request('app-state', { state: 'active' });
    // While something is active the hub has to look after it; at rest nothing is.
    await account.call('DELETE', `/v1/sessions/${sid}`);
    return { account, sid, sockets };
}

const objects = (sleepers: Sleeper[]) => [
    ...sleepers.map(({ account }) => env.ACCOUNT_HUB.getByName(account.id) as DurableObjectStub),
    env.SOCKET_GATEWAY.getByName('gateway-0') as DurableObjectStub,
];

/** Instances that were marked, and so have not slept since. */
const marked = new WeakSet<object>();

/** Marks the instances there are; how many had been marked before, and when each wants to be woken. */
async function visit(sleepers: Sleeper[]) {
    const visits = await Promise.all(
        objects(sleepers).map((stub) =>
            runInDurableObject(stub, async (instance, { storage }) => {
                const isOld = marked.has(instance);
                marked.add(instance);
                return { isOld, alarm: await storage.getAlarm() };
            }),
        ),
    );
    return { old: visits.filter(({ isOld }) => isOld).length, alarms: visits.map(({ alarm }) => alarm) };
}

async function call(caller: TestSocket, target: TestSocket, method: string): Promise<void> {
    const outcome = caller.request('rpc-call', { method, params: 'p' });
    const { ackId } = await target.next(({ event, data }) => event === 'rpc-request' && data.method === method);
    target.sendText(JSON.stringify({ event: 'rpc-response', ackId, ack: method }));
    expect(await outcome).toEqual({ ok: true, result: method });
}

/** All that a socket is, does and hears, after its object has slept. */
async function checkAwake({ account, sid, sockets }: Sleeper, round: number): Promise<void> {
    const all = Object.values(sockets);
    for (const socket of all) socket.frames.length = 0;
    expect((await account.call('GET', '/v1/websocket/stats')).body).toMatchObject({
        totalConnections: 4,
        byType: { 'user-scoped': 2, 'session-scoped': 2 },
        activeSessions: 1,
    });
    expect(await env.ACCOUNT_HUB.getByName(account.id).isAppActive()).toBe(true);
    await appendTexts(account, sid, [`after sleep ${round}`]);
    const sent = await sockets.farCli.request('message', { sid, message: 'm', localId: `${round}` });
    expect(sent).toMatchObject({ result: 'success', seq: 2 * round });
    await call(sockets.app, sockets.farCli, `${sid}:farCli`);
    await call(sockets.farApp, sockets.cli, `${sid}:cli`);
    await settled(account, all);
    const both = [2 * round, 2 * round + 1];
    const heard = Object.entries(sockets).map(([name, socket]) => [name, socket.updates().map(({ seq }) => seq)]);
    expect(heard).toEqual([
        ['app', both],
        ['cli', both],
        ['farApp', both],
        ['farCli', [2 * round]],
    ]);
    for (const socket of all) {
        socket.sendText('{"event":"ping"}');
        await socket.next(({ event }) => event === 'pong');
        expect(socket.closed).toBeUndefined();
    }
}

describe('twenty accounts that sleep in lock-step', () => {
    it(
        'keep who they are and what they registered, hear everything, and have no alarm at rest',
        { timeout: 180_000 },
        async () => {
            const sleepers = await Promise.all(Array.from({ length: ACCOUNTS }, createSleeper));
            for (let round = 1; round <= SLEEPS; round++) {
                await pause(REST_MS);
                const atRest = await visit(sleepers);
                expect(atRest.alarms).toEqual(atRest.alarms.map(() => null));
                await pause(IDLE_MS / 2);
                // A ping is no event: it does not keep them awake.
                for (const { sockets } of sleepers) sockets.app.sendText('{"event":"ping"}');
                for (const { sockets } of sleepers) await sockets.app.next(({ event }) => event === 'pong');
                await pause(IDLE_MS / 2);
                const slept = await visit(sleepers);
                expect(slept).toEqual({ old: 0, alarms: slept.alarms.map(() => null) });
                await Promise.all(sleepers.map((sleeper) => checkAwake(sleeper, round)));
            }
        },
    );
});
