import { createClient, createSession } from './lib/client';
import { compare } from './lib/compare';
import type { Comparison, Rounds } from './lib/compare';
import { openSocket } from './lib/socket';
import { openStockSocket } from './lib/stock-socket';
import { startWorker } from './lib/worker';
import { measureStockDelivery } from './stock/delivery';
import type { StockDelivery } from './stock/delivery';
import { measureHubWakes } from './stock/wakes';
import type { HubWakes } from './stock/wakes';

const ROUNDS: Rounds = { rounds: 9, requests: 1500, warmUp: 3000 };

/** What stock clients cost. */
export interface StockFigures {
    /** The floor is the same frame by a native socket in the hub. */
    cpu: Comparison[];
    deliveries: StockDelivery[];
    wakes: HubWakes[];
}

/** Measures the Socket.IO door by the published client: some four minutes, most of it waiting for heartbeats. */
export async function measureStock(): Promise<StockFigures> {
    const wakes = await measureHubWakes(180);
    const worker = await startWorker();
    const client = await createClient(worker.origin);
    try {
        const sid = await createSession(client);
        const auth = { clientType: 'session-scoped', sessionId: sid };
        const hub = await openSocket(client, auth);
        const gateway = await openStockSocket(client, auth);
        const subject = (request: () => Promise<unknown>) => ({
            pid: worker.pid,
            async run(count: number) {
                for (let i = 0; i < count; i++) await request();
            },
        });
        const beat = () => ({ sid, time: Date.now(), thinking: false });
        const cpu = [
            await compare(
                'echo (ping that asks for an answer)',
                { floor: subject(() => hub.request('ping', {})), gateway: subject(() => gateway.emitWithAck('ping')) },
                ROUNDS,
            ),
            await compare(
                'heartbeat',
                {
                    floor: subject(() => hub.request('session-alive', beat())),
                    gateway: subject(() => gateway.emitWithAck('session-alive', beat())),
                },
                ROUNDS,
            ),
        ];
        await hub.close();
        gateway.close();
        return { cpu, wakes, deliveries: await measureStockDelivery(client, { rounds: 9, messages: 30 }) };
    } finally {
        await client.close();
        await worker.stop();
    }
}
