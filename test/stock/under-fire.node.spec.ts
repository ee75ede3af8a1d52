import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStockAccount, createStockSession, openStockSocket, until } from '@test/helpers/stock-client';
import type { StockAccount, StockSocket } from '@test/helpers/stock-client';
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

describe.each([1, 4])(`${ACCOUNTS * SOCKETS_EACH} sockets of ${ACCOUNTS} accounts in gateways of %i`, (shards) => {
    let server: WorkerdServer;
    let parties: Party[] = [];

    beforeAll(async () => {
        server = await startWorkerd({ GATEWAY_SHARDS: String(shards) });
    });
    afterAll(async () => {
        for (const { io } of parties.flatMap(({ sockets }) => sockets)) io.close();
        await server.stop();
    });

    async function join(): Promise<Party> {
        const account = await createStockAccount(server.url);
        const sid = await createStockSession(account);
        const sockets = await Promise.all(
            Array.from({ length: SOCKETS_EACH }, () => openStockSocket(server.url, account, {}, RECONNECTING)),
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

    it('crash in the middle: everybody is back, and has every update once and in order, or knows that it has not', async () => {
        parties = await Promise.all(Array.from({ length: ACCOUNTS }, join));
        const sockets = parties.flatMap((party) => party.sockets);
        let recovered = 0;
        const toldToLoad = new Set<StockSocket>();
        for (const socket of sockets) {
            socket.io.on('connect', () => {
                if (socket.io.recovered) recovered += 1;
                else toldToLoad.add(socket);
            });
        }

        for (let round = 1; round <= ROUNDS; round++) {
            const writing = parties.map(write);
            if (round % 3 === 0) await server.restart();
            await Promise.all(writing);
        }
        await until(() => sockets.every(({ io }) => io.connected), 'all to be back', 30_000);
        await Promise.all(parties.map(write));

        const all = Array.from({ length: ROUNDS + 1 }, (_, i) => i + 2);
        const seqs = (socket: StockSocket) => socket.updates().map(({ seq }) => seq);
        await until(
            () => sockets.every((socket) => seqs(socket).at(-1) === all.at(-1)),
            'the last update everywhere',
            30_000,
        );
        expect(sockets.map(seqs).filter((seen) => seen.some((seq, i) => seq <= (seen[i - 1] ?? 0)))).toEqual([]);
        const incomplete = sockets.filter((socket) => seqs(socket).join() !== all.join());
        // A crash between commit and publish: the account's hub found the gap, and said so.
        expect(incomplete.filter((socket) => !toldToLoad.has(socket)).map(seqs)).toEqual([]);
        expect(recovered).toBeGreaterThanOrEqual(sockets.length);
    });
});
