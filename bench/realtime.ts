import { createClient, createSession, message } from './lib/client';
import type { Client } from './lib/client';
import { cpuMs } from './lib/cpu';
import { median, percentile, round } from './lib/numbers';
import { openSocket } from './lib/socket';
import type { Socket } from './lib/socket';
import { startWorker } from './lib/worker';

/** An account has 100 sockets at most, and the sender is one of them. */
const AUDIENCES = [1, 10, 99];

/** How much to measure. */
export interface Amounts {
    messages: number;
    echoes: number;
    connects: number;
    heartbeats: number;
}

/** One thing done many times: how fast, and what it took. Rates and times are this machine's, with client and server on it. */
export interface Rate {
    name: string;
    perSecond: number;
    /** CPU of workerd, µs for each; null where it cannot be measured. */
    cpuUs: number | null;
}

/** From a message's way out of one socket to its arrival at the others. */
export interface Delivery extends Rate {
    p50Ms: number;
    p99Ms: number;
}

/** What sockets cost. */
export interface RealtimeFigures {
    deliveries: Delivery[];
    rates: Rate[];
}

/** Measures the hub on real sockets. */
export async function measureRealtime(amounts: Amounts): Promise<RealtimeFigures> {
    const worker = await startWorker();
    const clients: Client[] = [];
    const newClient = async () => {
        const client = await createClient(worker.origin);
        clients.push(client);
        return client;
    };
    try {
        const timed = (name: string, count: number, run: () => Promise<void>) => timeRun(worker.pid, name, count, run);
        const deliveries: Delivery[] = [];
        for (const audience of AUDIENCES) {
            deliveries.push(await measureDelivery(await newClient(), audience, amounts.messages, timed));
        }

        const client = await newClient();
        const sid = await createSession(client);
        const socket = await openSocket(client);
        const echoes = await measureEcho(socket, amounts.echoes, timed);
        const beats = await timed('heartbeat', amounts.heartbeats, async () => {
            const beat = () => socket.request('session-alive', { sid, time: Date.now() });
            for (let i = 0; i < amounts.heartbeats; i++) await beat();
        });
        const connects = await timed('connect, greeting and close', amounts.connects, async () => {
            for (let i = 0; i < amounts.connects; i++) await (await openSocket(client)).close();
        });
        return { deliveries, rates: [...echoes, beats, connects] };
    } finally {
        await Promise.all(clients.map((client) => client.close()));
        await worker.stop();
    }
}

type Timed = (name: string, count: number, run: () => Promise<void>) => Promise<Rate>;

async function timeRun(pid: number | null, name: string, count: number, run: () => Promise<void>): Promise<Rate> {
    const [cpuBefore, startedAt] = [cpuMs(pid), performance.now()];
    await run();
    const [cpuAfter, endedAt] = [cpuMs(pid), performance.now()];
    return {
        name,
        perSecond: Math.round((count * 1000) / (endedAt - startedAt)),
        cpuUs: cpuBefore === null || cpuAfter === null ? null : Math.round(((cpuAfter - cpuBefore) * 1000) / count),
    };
}

/** Messages from one socket, each once the one before has reached everybody. */
async function measureDelivery(client: Client, audience: number, messages: number, timed: Timed): Promise<Delivery> {
    const sid = await createSession(client);
    const sender = await openSocket(client, { clientType: 'session-scoped', sessionId: sid });
    const others = await Promise.all(Array.from({ length: audience }, () => openSocket(client)));
    const tookMs: number[] = [];
    let arrived = (_: unknown) => {};
    for (const other of others) {
        other.onFrame = ({ event, data }) => {
            if (event === 'update' && (data as { body: { t: string } }).body.t === 'new-message') arrived(data);
        };
    }
    const sendOne = () => {
        const sentAt = performance.now();
        let left = audience;
        const { localId, content } = message();
        return new Promise<void>((resolve) => {
            arrived = () => {
                tookMs.push(performance.now() - sentAt);
                if (--left === 0) resolve();
            };
            sender.send({ event: 'message', data: { sid, message: content, localId } });
        });
    };
    for (let i = 0; i < messages / 4; i++) await sendOne();
    tookMs.length = 0;
    const name = `message to ${audience} other socket${audience === 1 ? '' : 's'}`;
    const rate = await timed(name, messages * audience, async () => {
        for (let i = 0; i < messages; i++) await sendOne();
    });
    await Promise.all([sender, ...others].map((socket) => socket.close()));
    return { ...rate, p50Ms: round(percentile(tookMs, 0.5), 1), p99Ms: round(percentile(tookMs, 0.99), 1) };
}

/** Round trips of one socket, in turns: answered by the hub, and by the runtime without it. */
async function measureEcho(socket: Socket, echoes: number, timed: Timed): Promise<Rate[]> {
    const rounds = 5;
    const count = Math.ceil(echoes / rounds);
    const hub: Rate[] = [];
    const runtime: Rate[] = [];
    const repeat = async (run: () => Promise<unknown>) => {
        for (let i = 0; i < count; i++) await run();
    };
    for (let i = 0; i < rounds; i++) {
        runtime.push(await timed('ping answered by the runtime', count, () => repeat(() => socket.ping())));
        hub.push(
            await timed('echo by the hub (ping with an ackId)', count, () => repeat(() => socket.request('ping', {}))),
        );
    }
    // The first round is for the compilers.
    return [summarize(hub.slice(1)), summarize(runtime.slice(1))];
}

function summarize(rounds: Rate[]): Rate {
    const cpu = rounds.flatMap(({ cpuUs }) => cpuUs ?? []);
    return {
        name: rounds[0]?.name ?? '',
        perSecond: Math.round(median(rounds.map(({ perSecond }) => perSecond))),
        cpuUs: cpu.length > 0 ? Math.round(median(cpu)) : null,
    };
}
