import type { Context } from 'hono';
import { ConfigurationError } from '@/env';
import { describeForLog, toPublicError } from '@/errors';
import type { HonoEnv } from '@/http/hono-env';

/** Answers whatever was thrown in the one error shape of contract 2. */
export function errorResponse(c: Context<HonoEnv>, error: unknown): Response {
    const { requestId, log } = c.var;
    if (error instanceof ConfigurationError) {
        log.error('configuration error', { missing: error.missing.join(', ') });
        const body = { error: 'Configuration Error', code: 'CONFIGURATION', requestId };
        return c.json({ ...body, missing: error.missing, hint: error.hint }, 500);
    }
    const { status, code, message, issues, retryAfter } = toPublicError(error);
    if (status >= 500) log.error('request failed', { error: describeForLog(error) });
    if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
    return c.json({ error: message, code, requestId, ...(issues && { issues }) }, status);
}

/** The answer to a path that does not exist, for everybody. */
export function notFound(c: Context<HonoEnv>): Response {
    return c.json({ error: 'Not found', code: 'NOT_FOUND', requestId: c.var.requestId }, 404);
}
