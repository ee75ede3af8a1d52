import { createApp } from '@/app';
import { getDb } from '@/db/client';
import { sweepRepeatKeys } from '@/db/repeat-keys';
import type { Env } from '@/env';
import { sweepPairingRequests } from '@/routers/auth/pairing';
import { sweepPushTickets } from '@/routers/push/delivery';
import { sweepFiles } from '@/routers/uploads/sweep';
import { createR2Storage } from '@/storage/r2';

export { SocketGateway } from '@/realtime/gateway';
export { AccountHub } from '@/realtime/hub';

const app = createApp();

/** The Worker: HTTP, and the nightly sweep (`crons` in wrangler.toml). */
export default {
    fetch: app.fetch,
    async scheduled(_controller, env) {
        const ctx = { db: getDb(env.DB), now: () => Date.now() };
        const files = createR2Storage(env.UPLOADS);
        await Promise.all([
            sweepPairingRequests(ctx),
            sweepRepeatKeys(ctx),
            sweepPushTickets(ctx),
            sweepFiles({ ...ctx, files }),
        ]);
    },
} satisfies ExportedHandler<Env>;
