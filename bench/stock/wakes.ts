import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Watched } from '@test/helpers/watched-worker';
import { ciphertext, createClient, createSession } from '../lib/client';
import type { Client } from '../lib/client';
import { openSocket } from '../lib/socket';
import { openStockSocket } from '../lib/stock-socket';
import { startWorker } from '../lib/worker';

/** As published clients beat, in ms. */
const SESSION_EVERY_MS = 2_000;
const MACHINE_EVERY_MS = 20_000;
/** So long after its last event the runtime keeps an object awake, in ms. */
const AWAKE_MS = 10_000;
/** First beats are told at once, and are not like those that follow. */
const SETTLE_MS = 65_000;

/** What the heartbeats of one daemon and two live sessions cost their account's hub, by the hour. */
export interface HubWakes {
    name: string;
    /** Events: calls, frames, alarms. */
    calls: number;
    /** Times that it came to life for one. */
    wakes: number;
    /** Seconds that it was awake. */
    awakeS: number;
}

type Beat = (event: string, data: object) => void;

/** Has clients beat in real time, merged by a gateway and straight to the hub, and watches both hubs meanwhile. */
export async function measureHubWakes(seconds: number): Promise<HubWakes[]> {
    const worker = await startWorker('test/helpers/watched-worker.ts');
    const clients = { merged: await createClient(worker.origin), straight: await createClient(worker.origin) };
    const { merged, straight } = clients;
    const stops = [
        await live(merged, async (auth) => {
            const socket = await openStockSocket(merged, auth);
            return [
                (event, data) => {
                    if (!socket.connected) throw new Error('A stock socket was lost while its heartbeats were counted');
                    socket.emit(event, data);
                },
                () => void socket.close(),
            ];
        }),
        await live(straight, async (auth) => {
            const socket = await openSocket(straight, auth);
            return [(event, data) => socket.send({ event, data }), () => void socket.close()];
        }),
    ];
    try {
        await pause(SETTLE_MS);
        const from = Date.now();
        const before = await watched(merged);
        await pause(seconds * 1000);
        const after = await watched(merged);
        const to = Date.now();
        return [
            summarize('merged by a gateway', merged, { before, after, from, to }),
            summarize('each to the hub', straight, { before, after, from, to }),
        ];
    } finally {
        for (const stop of stops) stop();
        await Promise.all(Object.values(clients).map((client) => client.close()));
        await worker.stop();
    }
}

const watched = (client: Client) => client.send<Watched[]>({ method: 'GET', path: '/watched' });

/** Starts a daemon and two sessions of an account; ends them when called. */
async function live(
    client: Client,
    open: (auth: Record<string, string>) => Promise<[beat: Beat, close: () => void]>,
): Promise<() => void> {
    const machineId = randomUUID();
    await client.send({ method: 'POST', path: '/v1/machines', body: { id: machineId, metadata: ciphertext(200) } });
    const [daemon, closeDaemon] = await open({ clientType: 'machine-scoped', machineId });
    const timers = [setInterval(() => daemon('machine-alive', { machineId, time: Date.now() }), MACHINE_EVERY_MS)];
    const closes = [closeDaemon];
    for (let i = 0; i < 2; i++) {
        const sid = await createSession(client);
        const [session, close] = await open({ clientType: 'session-scoped', sessionId: sid });
        const beat = () => session('session-alive', { sid, time: Date.now(), thinking: false, mode: 'remote' });
        timers.push(setInterval(beat, SESSION_EVERY_MS));
        closes.push(close);
        // People do not start them in the same second.
        await pause(7_000);
    }
    return () => {
        for (const timer of timers) clearInterval(timer);
        for (const close of closes) close();
    };
}

interface Watch {
    before: Watched[];
    after: Watched[];
    from: number;
    to: number;
}

function summarize(name: string, { token }: Client, { before, after, from, to }: Watch): HubWakes {
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string };
    const isIts = ({ kind, name: account }: Watched) => kind === 'hub' && account === sub;
    const calls = after.find(isIts)?.calls ?? [];
    const perHour = (value: number) => Math.round((value * 3_600_000) / (to - from));
    let awakeMs = 0;
    let awakeUntil = from;
    for (const at of calls) {
        const until = Math.min(at + AWAKE_MS, to);
        if (until > awakeUntil) awakeMs += until - Math.max(at, awakeUntil);
        awakeUntil = Math.max(awakeUntil, until);
    }
    return {
        name,
        calls: perHour(calls.filter((at) => at >= from && at < to).length),
        wakes: perHour((after.find(isIts)?.instances ?? 0) - (before.find(isIts)?.instances ?? 0)),
        awakeS: Math.round(perHour(awakeMs) / 1000),
    };
}
