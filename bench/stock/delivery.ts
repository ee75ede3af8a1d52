import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { createSession, message } from '../lib/client';
import type { Client } from '../lib/client';
import { median, percentile, round } from '../lib/numbers';
import { startNodeServer } from '../lib/node-server';
import { openStockSocket } from '../lib/stock-socket';

const AUDIENCE = 10;

/** From a socket to the others of its account, here and through a plain Socket.IO server, in turns. */
export interface StockDelivery {
    name: string;
    p50Ms: { worker: number; node: number };
    p99Ms: { worker: number; node: number };
    /** The Worker's time by the plain server's: for p50 the median over the rounds, for p99 over all of them. */
    ratios: { p50: number; p99: number };
}

interface Party {
    sender: Socket;
    others: Socket[];
    sid: string;
}

/** Measures both with the published client, in rounds: server, server, … so that a slow moment meets both. */
export async function measureStockDelivery(
    client: Client,
    { rounds, messages }: { rounds: number; messages: number },
): Promise<StockDelivery[]> {
    const node = await startNodeServer();
    const parties = {
        worker: await join(client, await createSession(client)),
        node: await join({ origin: node.origin, token: randomUUID() }, 'session'),
    };
    try {
        const figures = [];
        for (const [name, arrives, send] of [
            ['message, stored and numbered', 'update', sendMessage],
            ['broadcast, kept nowhere', 'broadcast', sendBroadcast],
        ] as const) {
            const measured: Record<keyof typeof parties, number[][]> = { worker: [], node: [] };
            // The first round is for the compilers.
            for (let i = 0; i <= rounds; i++) {
                for (const server of ['node', 'worker'] as const) {
                    measured[server].push(await timeRound(parties[server], messages, arrives, send));
                }
            }
            figures.push(summarize(name, measured.worker.slice(1), measured.node.slice(1)));
        }
        return figures;
    } finally {
        for (const { sender, others } of Object.values(parties))
            for (const socket of [sender, ...others]) socket.close();
        node.stop();
    }
}

async function join(at: Pick<Client, 'origin' | 'token'>, sid: string): Promise<Party> {
    const sender = await openStockSocket(at, { clientType: 'session-scoped', sessionId: sid });
    const others = await Promise.all(Array.from({ length: AUDIENCE }, () => openStockSocket(at)));
    return { sender, others, sid };
}

function sendMessage({ sender, sid }: Party): Promise<unknown> {
    const { localId, content } = message();
    return sender.emitWithAck('message', { sid, message: content, localId });
}

function sendBroadcast({ sender }: Party): Promise<unknown> {
    return sender.emitWithAck('broadcast', { text: message().content });
}

/** Sends so many, each once the one before has reached everybody; how long each took to each, in ms. */
async function timeRound(
    party: Party,
    messages: number,
    arrives: string,
    send: (party: Party) => Promise<unknown>,
): Promise<number[]> {
    const tookMs: number[] = [];
    for (let i = 0; i < messages; i++) {
        const sentAt = performance.now();
        const arrivals = party.others.map(
            (other) =>
                new Promise<void>((resolve) => {
                    other.once(arrives, () => {
                        tookMs.push(performance.now() - sentAt);
                        resolve();
                    });
                }),
        );
        await Promise.all([send(party), ...arrivals]);
    }
    return tookMs;
}

function summarize(name: string, worker: number[][], node: number[][]): StockDelivery {
    const at = (share: number) => ({
        worker: percentile(worker.flat(), share),
        node: percentile(node.flat(), share),
    });
    const [p50, p99] = [at(0.5), at(0.99)];
    const inRounds = worker.map((times, i) => percentile(times, 0.5) / percentile(node[i] ?? [], 0.5));
    return {
        name,
        p50Ms: { worker: round(p50.worker), node: round(p50.node) },
        p99Ms: { worker: round(p99.worker), node: round(p99.node) },
        ratios: { p50: round(median(inRounds), 1), p99: round(p99.worker / p99.node, 1) },
    };
}
