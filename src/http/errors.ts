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
    const { status, code, message, issues } = toPublicError(error);
    if (status >= 500) log.error('request failed', { error: describeForLog(error) });
    const seconds = retryAfter(status);
    if (seconds !== undefined) c.header('Retry-After', seconds);
    return c.json({ error: message, code, requestId, ...(issues && { issues }) }, status);
}

/** `Retry-After` of a status, in seconds: a rate limit's period, or a moment for a database that comes back. */
export function retryAfter(status: number): string | undefined {
    if (status === 429) return '60';
    return status === 503 ? '1' : undefined;
}

/** The answer to a path that does not exist, for everybody. */
export function notFound(c: Context<HonoEnv>): Response {
    return c.json({ error: 'Not found', code: 'NOT_FOUND', requestId: c.var.requestId }, 404);
}
