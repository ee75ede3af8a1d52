import { createClient, createKeys, createSession, loginBody, message } from './lib/client';
import type { Call, Client } from './lib/client';
import { compare } from './lib/compare';
import type { Comparison, Rounds } from './lib/compare';
import { startWorker } from './lib/worker';
import type { RunningWorker } from './lib/worker';

const SESSIONS = 20;
const MESSAGES = 50;

/** What one account needs for the cases. */
interface Prepared {
    client: Client;
    /** A session that is appended to. */
    growing: string;
    /** A session that is read. */
    steady: string;
}

interface Case {
    name: string;
    rest: (at: Prepared) => Call;
    trpc: (at: Prepared) => Call;
}

const CASES: Case[] = [
    {
        name: `list of ${SESSIONS} sessions`,
        rest: () => ({ method: 'GET', path: '/v1/sessions' }),
        trpc: () => ({ method: 'GET', path: query('sessions.list', {}) }),
    },
    {
        name: 'append of one message',
        rest: ({ growing }) => ({
            method: 'POST',
            path: `/v3/sessions/${growing}/messages`,
            body: { messages: [message()] },
        }),
        trpc: ({ growing }) => ({
            method: 'POST',
            path: '/trpc/messages.append',
            body: { sessionId: growing, messages: [message()] },
        }),
    },
    {
        name: `list of ${MESSAGES} messages`,
        rest: ({ steady }) => ({ method: 'GET', path: `/v3/sessions/${steady}/messages?limit=${MESSAGES}` }),
        trpc: ({ steady }) => ({ method: 'GET', path: query('messages.list', { sessionId: steady, limit: MESSAGES }) }),
    },
    {
        name: 'login',
        rest: () => ({ method: 'POST', path: '/v1/auth', body: loginBody(createKeys()) }),
        trpc: () => ({ method: 'POST', path: '/trpc/auth.login', body: loginBody(createKeys()) }),
    },
];

/** CPU of the REST facade and of tRPC against bare handlers that do the same work (contract 11). */
export async function measureFacade(rounds: Rounds): Promise<Comparison[]> {
    const workers: RunningWorker[] = [];
    const clients: Client[] = [];
    const prepare = async (entry?: string) => {
        const worker = await startWorker(entry);
        workers.push(worker);
        const client = await createClient(worker.origin);
        clients.push(client);
        return { worker, at: await fill(client) };
    };
    try {
        const floor = await prepare('bench/workers/floor.ts');
        const real = await prepare();
        const results: Comparison[] = [];
        for (const { name, rest, trpc } of CASES) {
            const load = ({ worker, at }: typeof real, call: Case['rest']) => ({
                pid: worker.pid,
                run: (count: number) => at.client.load(count, () => call(at)),
            });
            results.push(
                await compare(
                    name,
                    { floor: load(floor, rest), rest: load(real, rest), trpc: load(real, trpc) },
                    rounds,
                ),
            );
        }
        return results;
    } finally {
        await Promise.all(clients.map((client) => client.close()));
        await Promise.all(workers.map((worker) => worker.stop()));
    }
}

async function fill(client: Client): Promise<Prepared> {
    for (let i = 2; i < SESSIONS; i++) await createSession(client);
    const growing = await createSession(client);
    const steady = await createSession(client);
    const messages = Array.from({ length: MESSAGES }, message);
    await client.send({ method: 'POST', path: `/v3/sessions/${steady}/messages`, body: { messages } });
    return { client, growing, steady };
}

function query(procedure: string, input: object): string {
    return `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`;
}
