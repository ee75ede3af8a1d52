import type { MiddlewareHandler } from 'hono';
import type { HonoEnv } from '@/http/hono-env';
import { chunksOf } from '@/storage/content';

/** Most bytes of a refused body that are read. */
export const MAX_DRAINED_BYTES = 32 * 1024 * 1024;

/**
 * Lets a client whose body is refused finish sending it, within bounds, and keeps nothing of it: one that is cut off
 * while it sends sees a broken connection instead of the answer. `patience` is how long it may take, in ms.
 */
export function drain(patience = 5000): MiddlewareHandler<HonoEnv> {
    return async (c, next) => {
        await next();
        const { body } = c.req.raw;
        if (c.res.status < 400 || !body || body.locked) return;
        await Promise.race([readAway(body), scheduler.wait(patience)]);
    };
}

async function readAway(body: ReadableStream<Uint8Array>): Promise<void> {
    let bytes = 0;
    try {
        for await (const chunk of chunksOf(body)) {
            bytes += chunk.byteLength;
            if (bytes >= MAX_DRAINED_BYTES) return;
        }
    } catch {
        // The client has gone.
    }
}
