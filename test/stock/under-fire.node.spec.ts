import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStockAccount, createStockSession, openStockSocket, until } from '@test/helpers/stock-client';
import type { StockAccount, StockSocket } from '@test/helpers/stock-client';
import type { Watched } from '@test/helpers/watched-worker';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

const ACCOUNTS = 50;
const SOCKETS_EACH = 10;
const ROUNDS = 6;

/** Published apps wait a second or more; this is the worse case. */
const RECONNECTING = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 500 };

interface Party {
    account: StockAccount;
    sid: string;
    sockets: StockSocket[];
}

/** After so long without an event the runtime has put an object to sleep, in ms. */
const ASLEEP_MS = 12_500;

describe.each([1, 4])(`${ACCOUNTS * SOCKETS_EACH} sockets of ${ACCOUNTS} accounts in %i gateways`, (shards) => {
    let server: WorkerdServer;
    let parties: Party[] = [];

    beforeAll(async () => {
        server = await startWorkerd({ GATEWAY_SHARDS: String(shards) }, 'test/helpers/watched-worker.ts');
    });
    afterAll(async () => {
        for (const { io } of parties.flatMap(({ sockets }) => sockets)) io.close();
        await server.stop();
    });

    const watched = async () => (await (await fetch(new URL('watched', server.url))).json()) as Watched[];

    /** Waits until every object has slept. */
    async function sleep(): Promise<void> {
        const end = Date.now() + 120_000;
        const idleMs = async () => Date.now() - Math.max(...(await watched()).flatMap(({ calls }) => calls));
        for (let idle = await idleMs(); idle < ASLEEP_MS; idle = await idleMs()) {
            if (Date.now() > end) throw new Error('They never rest');
            await new Promise((resolve) => setTimeout(resolve, ASLEEP_MS - idle));
        }
    }

    async function join(i: number): Promise<Party> {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        // Which gateway a socket goes to depends on where it comes from.
        const options = { ...RECONNECTING, extraHeaders: { 'CF-Connecting-IP': `192.0.2.${i}` } };
        const sockets = await Promise.all(
            Array.from({ length: SOCKETS_EACH }, () => openStockSocket(server.url, account, {}, options)),
        );
        return { account, sid, sockets };
    }

    /** Writes until it is taken, as the clients' outbox does. */
    async function write({ account, sid }: Party): Promise<void> {
        const messages = [{ content: 'aGk=', localId: randomUUID() }];
        for (;;) {
            const done = await account.call('POST', `v3/sessions/${sid}/messages`, { messages }).catch(() => null);
            if (done) return;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    it('crash and sleep in the middle: everybody has every update once and in order, or knows that it has not', async () => {
        parties = await Promise.all(Array.from({ length: ACCOUNTS }, (_, i) => join(i)));
        const sockets = parties.flatMap((party) => party.sockets);
        let recovered = 0;
        let lost = 0;
        const toldToLoad = new Set<StockSocket>();
        for (const socket of sockets) {
            socket.io.on('connect', () => {
                if (socket.io.recovered) recovered += 1;
                else toldToLoad.add(socket);
            });
            socket.io.on('disconnect', () => {
                lost += 1;
            });
        }
        const seqs = (socket: StockSocket) => socket.updates().map(({ seq }) => seq);
        const heardUpTo = (seq: number) =>
            until(() => sockets.every((socket) => seqs(socket).at(-1) === seq), `update ${seq} everywhere`, 60_000);

        for (let round = 1; round <= ROUNDS; round++) {
            const writing = parties.map(write);
            if (round % 3 === 0) await server.restart();
            await Promise.all(writing);
        }
        await until(() => sockets.every(({ io }) => io.connected), 'all to be back', 60_000);
        await Promise.all(parties.map(write));
        await heardUpTo(ROUNDS + 2);

        await sleep();
        const before = await watched();
        const count = (kind: Watched['kind']) => before.filter((one) => one.kind === kind).length;
        expect([count('hub'), count('gateway')]).toEqual([ACCOUNTS, shards]);
        lost = 0;
        const recoveredBefore = recovered;
        for (const { io } of parties.flatMap(({ sockets: [first] }) => first ?? [])) io.io.engine.close();
        await Promise.all(parties.map(write));
        await until(() => recovered === recoveredBefore + ACCOUNTS, 'one of each account to be back', 60_000);
        const acks = await Promise.all(sockets.map(({ io }) => io.emitWithAck('ping')));
        await Promise.all(parties.map(write));
        await heardUpTo(ROUNDS + 4);
        // Every one of them had been asleep, and no socket noticed but those that were cut off.
        expect((await watched()).map(({ instances }) => instances)).toEqual(
            before.map(({ instances }) => instances + 1),
        );
        expect([lost, acks.length]).toEqual([ACCOUNTS, sockets.length]);

        const all = Array.from({ length: ROUNDS + 3 }, (_, i) => i + 2);
        expect(sockets.map(seqs).filter((seen) => seen.some((seq, i) => seq <= (seen[i - 1] ?? 0)))).toEqual([]);
        const incomplete = sockets.filter((socket) => seqs(socket).join() !== all.join());
        // A crash between commit and publish: the account's hub found the gap, and said so.
        expect(incomplete.filter((socket) => !toldToLoad.has(socket)).map(seqs)).toEqual([]);
        expect(recovered).toBeGreaterThanOrEqual(sockets.length);
    });
});
