import type { Config, Env } from '@/env';
import type { Logger } from '@/utils/logger';

/** What Hono handlers and middleware share about a request. */
export interface HonoEnv {
    Bindings: Env;
    Variables: {
        requestId: string;
        log: Logger;
        config: Config;
    };
}
