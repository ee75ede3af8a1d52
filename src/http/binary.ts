import type { Context } from 'hono';
import type { AccountContext } from '@/context';
import { ServiceError } from '@/errors';
import { createContext } from '@/http/context';
import type { HonoEnv } from '@/http/hono-env';
import { chunksOf } from '@/storage/content';
import type { Content } from '@/storage/content';

/** Most bytes of a refused body that are read: what the largest category takes, and a form around it. */
const MAX_DRAINED_BYTES = 101_000_000;

/**
 * Runs a route outside the procedures for whoever is calling, and answers JSON with what it returns. A body that is
 * refused is still read to its end: a client that cannot finish sending sees a broken connection, not the answer.
 * @throws UNAUTHORIZED without a valid bearer token
 */
export async function acting(c: Context<HonoEnv>, run: (ctx: AccountContext) => Promise<object>): Promise<Response> {
    const ctx = await actingContext(c);
    try {
        return c.json(await run(ctx));
    } catch (error) {
        await drain(c.req.raw.body);
        throw error;
    }
}

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
    const stream = request.body ?? new Blob([]).stream();
    const length = request.headers.get('Content-Length');
    const isDeclared = length !== null && /^\d{1,15}$/.test(length);
    return isDeclared ? { size: Number(length), stream } : { size: null, chunks: chunksOf(stream) };
}

async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
    if (!body || body.locked) return;
    let bytes = 0;
    try {
        for await (const chunk of chunksOf(body)) {
            bytes += chunk.length;
            if (bytes > MAX_DRAINED_BYTES) return;
        }
    } catch {
        // The client has gone.
    }
}
