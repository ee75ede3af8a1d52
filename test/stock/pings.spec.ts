import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alarms } from '@/realtime/alarms';
import { SocketGateway } from '@/realtime/gateway';
import { gatewayName } from '@/realtime/gateway-name';
import { createAccount, createMachine } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { connectFrames } from '@test/helpers/stock-frames';
import type { StockFrames } from '@test/helpers/stock-frames';

const server = startServer({ GATEWAY_SHARDS: '100' });
const clock = holdClock();

/** Every test has a gateway of its own, by the address its sockets come from. */
let address: string;
let account: TestAccount;
let tests = 0;
beforeEach(async () => {
    address = `192.0.2.${(tests += 1)}`;
    account = await createAccount(server);
});

const gateway = () => env.SOCKET_GATEWAY.getByName(gatewayName(server.env, 'socket.io', address));
const open = (auth: object = {}) =>
    connectFrames(server, { token: account.token, ...auth }, { 'CF-Connecting-IP': address });
const pings = (socket: StockFrames) => socket.texts.filter((text) => text === '2').length;
const alarm = () => runInDurableObject(gateway(), (_, { storage }) => storage.getAlarm());

const alarmsOf = (instance: SocketGateway) => (instance as unknown as { alarms: Alarms<'ping'> }).alarms;
const pingDue = () => runInDurableObject(gateway(), (instance) => alarmsOf(instance).get('ping'));
const makeDue = () => runInDurableObject(gateway(), (instance) => alarmsOf(instance).set('ping', Date.now()));

describe('Pings', () => {
    it('come by an alarm to silent sockets, whose answers wake nobody', async () => {
        // The runtime notes the time of an answer by its own clock.
        vi.useRealTimers();
        const socket = await open();
        const woken = vi.spyOn(SocketGateway.prototype, 'webSocketMessage');
        for (let round = 1; round <= 5; round++) {
            await makeDue();
            await runDurableObjectAlarm(gateway());
            await expect.poll(() => pings(socket)).toBe(round);
            socket.send('3');
            await expect.poll(() => socket.texts.filter((text) => text === '6').length).toBe(round);
        }
        expect(woken).not.toHaveBeenCalled();
        await socket.request('ping');
        expect(woken).toHaveBeenCalledOnce();
        woken.mockRestore();
    });

    it('ride along with frames that woke the object, and put the alarm off', async () => {
        const socket = await open();
        const first = (await pingDue()) ?? 0;
        expect(Math.abs(first - Date.now() - 50_000)).toBeLessThan(2_000);
        clock.advance(27_000);
        await socket.request('ping');
        expect(pings(socket)).toBe(0);
        clock.advance(5_000);
        await socket.request('ping');
        await socket.request('ping');
        expect(pings(socket)).toBe(1);
        expect(((await pingDue()) ?? 0) - first).toBeGreaterThanOrEqual(30_000);
    });

    it('that nobody answers end a socket; without sockets there are none', async () => {
        const machineId = await createMachine(account);
        const socket = await open({ clientType: 'machine-scoped', machineId });
        const isActive = async () => (await account.call('GET', `/v1/machines/${machineId}`)).body.machine.active;
        await expect.poll(isActive).toBe(true);
        for (let round = 0; round < 4; round++) {
            clock.advance(50_000);
            await runDurableObjectAlarm(gateway());
        }
        expect(await socket.untilClosed()).toEqual({ code: 1001, reason: 'Ping timeout' });
        await expect.poll(isActive).toBe(false);
        clock.advance(50_000);
        await runDurableObjectAlarm(gateway());
        expect(await alarm()).toBeNull();
    });

    it('are late after a pause, for which nobody is punished', async () => {
        const socket = await open();
        clock.advance(50_000);
        await runDurableObjectAlarm(gateway());
        await expect.poll(() => pings(socket)).toBe(1);
        socket.send('3');
        await socket.next('6');
        clock.advance(3_600_000);
        await runDurableObjectAlarm(gateway());
        await expect.poll(() => pings(socket)).toBe(2);
        expect(socket.closed).toBeUndefined();
    });
});
