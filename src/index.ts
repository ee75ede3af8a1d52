import { createApp } from '@/app';
import { getDb } from '@/db/client';
import type { Env } from '@/env';
import { sweepPairingRequests } from '@/routers/auth/pairing';

export { AccountHub } from '@/realtime/hub';

const app = createApp();

/** The Worker: HTTP, and the nightly sweep (`crons` in wrangler.toml). */
export default {
    fetch: app.fetch,
    async scheduled(_controller, env) {
        await sweepPairingRequests({ db: getDb(env.DB), now: () => Date.now() });
    },
} satisfies ExportedHandler<Env>;
