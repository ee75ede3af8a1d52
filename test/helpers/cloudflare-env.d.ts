import type { D1Migration } from '@cloudflare/vitest-pool-workers';
import type { Env } from '@/env';

declare global {
    namespace Cloudflare {
        /** What `import { env } from 'cloudflare:workers'` holds in tests. */
        interface Env extends ServerEnv {
            TEST_MIGRATIONS: D1Migration[];
            /** Not empty in the long runs. */
            TEST_NIGHTLY: string;
        }
    }
}

type ServerEnv = Env;
