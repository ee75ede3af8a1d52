import { createApp } from '@/app';
import { getDb } from '@/db/client';
import { sweepRepeatKeys } from '@/db/repeat-keys';
import type { Env } from '@/env';
import { sweepPairingRequests } from '@/routers/auth/pairing';
import { sweepPushTickets } from '@/routers/push/delivery';

export { SocketGateway } from '@/realtime/gateway';
export { AccountHub } from '@/realtime/hub';

const app = createApp();

/** The Worker: HTTP, and the nightly sweep (`crons` in wrangler.toml). */
export default {
    fetch: app.fetch,
    async scheduled(_controller, env) {
        const ctx = { db: getDb(env.DB), now: () => Date.now() };
        await Promise.all([sweepPairingRequests(ctx), sweepRepeatKeys(ctx), sweepPushTickets(ctx)]);
    },
} satisfies ExportedHandler<Env>;
