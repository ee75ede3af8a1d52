import type { MiddlewareHandler } from 'hono';
import { cors as honoCors } from 'hono/cors';
import type { Env } from '@/env';
import type { HonoEnv } from '@/http/hono-env';

/**
 * CORS for bearer tokens, no cookies: any origin unless `CORS_ORIGINS` names exact ones (contract 2). Headers are
 * listed by name, since `*` does not cover Authorization (Fetch standard).
 */
export function cors(): MiddlewareHandler<HonoEnv> {
    return honoCors({
        origin: (origin, c) => {
            const allowed = originsOf(c.env);
            if (allowed.length === 0 || allowed.includes('*')) return '*';
            return allowed.includes(origin) ? origin : null;
        },
        allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        allowHeaders: [
            'Authorization',
            'Content-Type',
            'X-Happy-Client',
            'X-Request-Id',
            'X-Correlation-Id',
            'If-None-Match',
        ],
        exposeHeaders: [
            'X-Request-Id',
            'Server-Timing',
            'ETag',
            'Retry-After',
            'Content-Disposition',
            'Content-Range',
            'Accept-Ranges',
        ],
        maxAge: 86_400,
    });
}

/** Read here and not from the checked configuration: `/health` and the Configuration Error need CORS too. */
function originsOf(env: Env): string[] {
    return (env.CORS_ORIGINS ?? '')
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean);
}
