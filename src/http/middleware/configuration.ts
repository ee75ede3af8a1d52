import type { MiddlewareHandler } from 'hono';
import { loadConfig } from '@/env';
import type { HonoEnv } from '@/http/hono-env';

/** Refuses everything behind it while a secret or binding is missing, naming all that is (contract 2). */
export function configuration(): MiddlewareHandler<HonoEnv> {
    return async (c, next) => {
        c.set('config', await loadConfig(c.env));
        await next();
    };
}
