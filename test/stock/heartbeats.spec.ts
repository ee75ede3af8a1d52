import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { AccountHub } from '@/realtime/hub';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import type { StockFrames } from '@test/helpers/stock-frames';
import { connectFrames } from '@test/helpers/stock-frames';

const server = startServer();
const clock = holdClock();

let account: TestAccount;
beforeEach(async () => {
    account = await createAccount(server);
    // Its pings are answered in real time, which would look late by the clock that is held here.
    await runInDurableObject(env.SOCKET_GATEWAY.getByName('socketio-0'), (gateway) =>
        Object.assign(gateway, { keepAlive: undefined }),
    );
});

const MINUTES = 5;

describe('The heartbeats of a daemon and two sessions', () => {
    it('wake their hub once a minute together, and tell apps of each no more than once', async () => {
        const machineId = await createMachine(account);
        const sids = [await createSession(account), await createSession(account)];
        const { token } = account;
        const daemon = await connectFrames(server, { token, clientType: 'machine-scoped', machineId });
        const sessions: StockFrames[] = [];
        for (const sessionId of sids) {
            sessions.push(await connectFrames(server, { token, clientType: 'session-scoped', sessionId }));
        }
        const woken = vi.spyOn(AccountHub.prototype, 'announce');
        onTestFinished(() => woken.mockRestore());
        const told = new Map([...sids, machineId].map((id) => [id, [] as number[]]));
        let calls = 0;
        for (let second = 0; second < MINUTES * 60; second += 2) {
            for (const [i, sid] of sids.entries()) {
                // People do not start them in the same second.
                if (second < i * 8) continue;
                await sessions[i]?.request('session-alive', { sid, time: Date.now(), thinking: false });
            }
            if (second % 20 === 0) await daemon.request('machine-alive', { machineId, time: Date.now() });
            for (const [ephemerals] of woken.mock.calls.splice(0)) {
                calls += 1;
                for (const { ephemeral } of ephemerals) told.get((ephemeral as { id: string }).id)?.push(second);
            }
            clock.advance(2_000);
        }
        // The first of each is told at once, whatever the others do.
        expect(calls).toBeLessThanOrEqual(MINUTES + 2);
        for (const times of told.values()) {
            const pauses = times.slice(1).map((at, i) => at - (times[i] ?? 0));
            expect(times.length).toBeGreaterThanOrEqual(MINUTES);
            expect(Math.min(...pauses)).toBeGreaterThanOrEqual(60);
            expect(Math.max(...pauses)).toBeLessThanOrEqual(90);
        }
    });

    it('of one that has ended are not taken along', async () => {
        const [live, silent] = [await createSession(account), await createSession(account)];
        const { token } = account;
        const app = await connectFrames(server, { token });
        const socket = await connectFrames(server, { token, clientType: 'session-scoped', sessionId: live });
        const other = await connectFrames(server, { token, clientType: 'session-scoped', sessionId: silent });
        await socket.request('session-alive', { sid: live, time: Date.now() });
        await other.request('session-alive', { sid: silent, time: Date.now() });
        clock.advance(61_000);
        await socket.request('session-alive', { sid: live, time: Date.now() });
        const told = (sid: string) => app.all('ephemeral').filter(([{ id, active }]) => id === sid && active).length;
        await expect.poll(() => told(live)).toBe(2);
        expect(told(silent)).toBe(1);
    });
});
