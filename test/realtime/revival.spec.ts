import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import type { TestSocket } from '@test/helpers/socket';
import { connect, settled } from '@test/helpers/socket';

const server = startServer();
const clock = holdClock();

let account: TestAccount;
let app: TestSocket;

beforeEach(async () => {
    account = await createAccount(server);
    app = await connect(server, account);
});

/** What apps were told since they were last asked, once these sockets have everything too. */
async function heard(...sockets: TestSocket[]) {
    await settled(account, [app, ...sockets]);
    return app.frames.splice(0).flatMap(({ event, data }) => (event === 'ephemeral' ? [data] : []));
}

describe('a session that was ended', () => {
    it('is alive for whoever still speaks for it after a minute, on a new socket too', async () => {
        const sid = await createSession(account);
        const scope = { clientType: 'session-scoped', sessionId: sid };
        const beat = (socket: TestSocket) => socket.request('session-alive', { sid, time: Date.now() });
        await (await connect(server, account, scope)).request('session-end', { sid, time: Date.now() });
        clock.advance(50_000);
        const next = await connect(server, account, scope);
        await beat(next);
        clock.advance(9_999);
        await beat(next);
        expect((await heard()).filter(({ active }) => active)).toEqual([]);
        clock.advance(1);
        await beat(next);
        expect(await heard()).toEqual([expect.objectContaining({ id: sid, active: true })]);
    });

    it('and came alive again was never stopped, once it falls silent', async () => {
        const sid = await createSession(account);
        await account.call('DELETE', `/v1/sessions/${sid}`);
        clock.advance(60_000);
        await app.request('session-alive', { sid, time: Date.now() });
        const lastActivity = Date.now();
        clock.advance(10 * 60_000);
        await runDurableObjectAlarm(env.ACCOUNT_HUB.getByName(account.id));
        expect((await account.call('GET', `/v1/sessions/${sid}/state`)).body).toEqual({
            sessionId: sid,
            state: 'stopped',
            stoppedAt: null,
            stoppedReason: null,
            lastActivity,
        });
    });
});

describe.each(['hub', 'gateway'] as const)('a machine that lives on a socket of the %s', (host) => {
    let machineId: string;
    let daemon: TestSocket;
    const beat = () => daemon.request('machine-alive', { machineId, time: Date.now() });

    beforeEach(async () => {
        machineId = await createMachine(account);
        daemon = await connect(server, account, { host, clientType: 'machine-scoped', machineId });
        await app.next(({ data }) => data.type === 'machine-status');
        await heard();
    });

    it('and was said to be inactive is told to be active when the database says so again', async () => {
        await beat();
        clock.advance(25_000);
        await account.call('PUT', `/v1/machines/${machineId}/status`, { active: false });
        await heard();
        clock.advance(15_000);
        await beat();
        expect((await account.call('GET', `/v1/machines/${machineId}`)).body.machine.active).toBe(true);
        expect(await heard()).toContainEqual(expect.objectContaining({ type: 'machine-activity', active: true }));
    });

    it('and was silent for ten minutes is told to be online with its next heartbeat', async () => {
        const status = (online: boolean) => [
            expect.objectContaining({ type: 'machine-activity', active: online }),
            { type: 'machine-status', machineId, online, timestamp: Date.now() },
        ];
        clock.advance(10 * 60_000);
        await runDurableObjectAlarm(env.ACCOUNT_HUB.getByName(account.id));
        expect(await heard()).toEqual(status(false));
        await beat();
        expect(await heard()).toEqual(status(true));
        clock.advance(60_000);
        await beat();
        expect(await heard()).toEqual(status(true).slice(0, 1));
    });
});

describe.each(['hub', 'gateway'] as const)('what is deleted while it lives on a socket of the %s', (host) => {
    it('is never told to be alive again, if it is a session', async () => {
        const sid = await createSession(account);
        const scopes = [{ clientType: 'session-scoped', sessionId: sid }, {}];
        const sockets = await Promise.all(scopes.map((scope) => connect(server, account, { host, ...scope })));
        for (const socket of sockets) await socket.request('session-alive', { sid, time: Date.now() });
        await account.call('DELETE', `/v1/sessions/${sid}`, { hard: true });
        await heard(...sockets);
        for (const [i, socket] of [...sockets, ...sockets, ...sockets].entries()) {
            clock.advance(17_000);
            await socket.request('session-alive', { sid, time: Date.now(), thinking: i < 4 });
        }
        expect(await heard()).toEqual([]);
    });

    it('is never told to be alive again, if it is a machine', async () => {
        const [sid, machineId] = [await createSession(account), await createMachine(account)];
        const daemon = await connect(server, account, { host, clientType: 'machine-scoped', machineId });
        const cli = await connect(server, account, { host, clientType: 'session-scoped', sessionId: sid });
        await cli.request('session-alive', { sid, time: Date.now() });
        for (let i = 0; i < 2; i++) {
            await daemon.request('machine-alive', { machineId, time: Date.now() });
            clock.advance(30_000);
        }
        await account.call('DELETE', `/v1/machines/${machineId}`);
        await heard(daemon);
        await cli.request('session-alive', { sid, time: Date.now() });
        await daemon.request('machine-alive', { machineId, time: Date.now() });
        expect((await heard()).map(({ type }) => type)).toEqual(['activity']);
    });
});
