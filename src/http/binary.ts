import type { Context } from 'hono';
import type { AccountContext } from '@/context';
import { ServiceError } from '@/errors';
import { createContext } from '@/http/context';
import type { HonoEnv } from '@/http/hono-env';
import type { Content } from '@/storage/content';

/**
 * What a route outside the procedures hands its service: who is calling, and for whom.
 * @throws UNAUTHORIZED without a valid bearer token
 */
export async function actingContext(c: Context<HonoEnv>): Promise<AccountContext> {
    const ctx = createContext(c);
    const actor = await ctx.authenticate();
    if (!actor) throw new ServiceError('UNAUTHORIZED', 'Unauthorized');
    return { ...ctx, actor };
}

/** The body of a request as bytes, with its length where the caller said it. */
export function contentOf(request: Request): Content {
    const length = request.headers.get('Content-Length');
    const size = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
    return { stream: request.body ?? new Blob([]).stream(), size };
}
