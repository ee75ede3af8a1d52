import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { HonoEnv } from '@/http/hono-env';

/** Logs one line per request and answers `Server-Timing`. The route's pattern is logged, never the path: it can hold keys. */
export function requestLog(): MiddlewareHandler<HonoEnv> {
    return async (c, next) => {
        const startedAt = Date.now();
        await next();
        const ms = Date.now() - startedAt;
        c.res.headers.set('Server-Timing', `total;dur=${ms}`);
        c.var.log.info('request', { method: c.req.method, route: routePath(c), status: c.res.status, ms });
    };
}
