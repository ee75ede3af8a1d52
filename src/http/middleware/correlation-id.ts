import type { MiddlewareHandler } from 'hono';
import type { HonoEnv } from '@/http/hono-env';
import { createLogger } from '@/utils/logger';

const ACCEPTED = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Gives every request an id: the caller's `X-Request-Id` if it is a plain word, else a new one; answered in the same
 * header and carried by every log line, with the caller's `X-Correlation-Id` if there is one (contract 2).
 */
export function correlationId(): MiddlewareHandler<HonoEnv> {
    return async (c, next) => {
        const requestId = accepted(c.req.header('X-Request-Id')) ?? crypto.randomUUID();
        const correlation = accepted(c.req.header('X-Correlation-Id'));
        c.set('requestId', requestId);
        c.set('log', createLogger({ requestId, ...(correlation && { correlationId: correlation }) }, c.env.LOG_LEVEL));
        await next();
        c.res.headers.set('X-Request-Id', requestId);
    };
}

function accepted(value: string | undefined): string | undefined {
    return value !== undefined && ACCEPTED.test(value) ? value : undefined;
}
