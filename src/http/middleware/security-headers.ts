import type { MiddlewareHandler } from 'hono';
import type { HonoEnv } from '@/http/hono-env';

/** Security headers of contract 2 on every response; a handler's own Content-Security-Policy stands. */
export function securityHeaders(): MiddlewareHandler<HonoEnv> {
    return async (c, next) => {
        await next();
        const { headers } = c.res;
        headers.set('X-Content-Type-Options', 'nosniff');
        headers.set('Referrer-Policy', 'no-referrer');
        if (!headers.has('Content-Security-Policy')) {
            headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
        }
        if (c.env.ENVIRONMENT !== 'development') {
            headers.set('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
        }
    };
}
