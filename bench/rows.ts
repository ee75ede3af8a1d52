import { createClient, createSession, message } from './lib/client';
import type { Client } from './lib/client';
import { openSocket } from './lib/socket';
import type { Frame } from './lib/socket';
import { startWorker } from './lib/worker';

const TIMES = 20;

/** Rows that D1 says it wrote for one of each, index entries included; of a repeated thing the mean. */
export interface RowsWritten {
    name: string;
    rows: number;
    /** Contract 11. */
    budget: number;
}

/** Counts the rows that messages, heartbeats and RPC write (contract 11), on the Worker with a counted database. */
export async function countRows(): Promise<RowsWritten[]> {
    const worker = await startWorker('bench/workers/probe.ts');
    const client = await createClient(worker.origin);
    try {
        const sessionId = await createSession(client);
        const phone = await openSocket(client);
        const agent = await openSocket(client, { clientType: 'session-scoped', sessionId });
        agent.onFrame = ({ event, ackId, data }: Frame) => {
            if (event === 'rpc-request') agent.send({ event: 'rpc-response', ackId, ack: data });
        };
        const heartbeat = () => agent.request('session-alive', { sid: sessionId, time: Date.now() });
        const method = `${sessionId}:echo`;
        await agent.request('rpc-register', { method });
        // Of a live object the database hears every 30 s: this one is the first.
        await heartbeat();

        const each = async (name: string, budget: number, run: () => Promise<unknown>): Promise<RowsWritten> => {
            const before = await rowsOf(client);
            for (let i = 0; i < TIMES; i++) await run();
            return { name, budget, rows: ((await rowsOf(client)) - before) / TIMES };
        };
        return [
            await each('message over a socket', 5, async () => {
                const { content, localId } = message();
                await agent.request('message', { sid: sessionId, message: content, localId });
            }),
            await each('message over REST', 5, () =>
                client.send({
                    method: 'POST',
                    path: `/v3/sessions/${sessionId}/messages`,
                    body: { messages: [message()] },
                }),
            ),
            await each('heartbeat', 0, heartbeat),
            await each('RPC call and its answer', 0, () => phone.request('rpc-call', { method, params: 'x' })),
        ];
    } finally {
        await client.close();
        await worker.stop();
    }
}

async function rowsOf(client: Client): Promise<number> {
    const { rows } = await client.send<{ rows: number }>({ method: 'GET', path: '/rows' });
    return rows;
}
