import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import type { Context, Hono } from 'hono';
import { describeForLog, toPublicError } from '@/errors';
import { readText } from '@/http/body';
import { createContext } from '@/http/context';
import type { HonoEnv } from '@/http/hono-env';
import { appRouter } from '@/routers';

/** Calls in one batched request: each may cost a round trip, and a free Worker has 50 subrequests. */
const MAX_BATCH = 20;

/** Serves the procedures to tRPC clients at `/trpc` (contract 8). */
export function mountTrpc(app: Hono<HonoEnv>): void {
    app.all('/trpc/*', async (c) =>
        fetchRequestHandler({
            endpoint: '/trpc',
            req: await boundedRequest(c),
            router: appRouter,
            createContext: () => createContext(c),
            maxBatchSize: MAX_BATCH,
            onError({ error }) {
                if (toPublicError(error).status >= 500) {
                    c.var.log.error('procedure failed', { error: describeForLog(error) });
                }
            },
        }),
    );
}

/** tRPC reads bodies without a limit and wants a content type: it gets a body that was read within ours, as JSON. */
async function boundedRequest(c: Context<HonoEnv>): Promise<Request> {
    const request = c.req.raw;
    if (request.method !== 'POST') return request;
    const body = await readText(request);
    const headers = new Headers(request.headers);
    headers.delete('Content-Length');
    if (!headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
    return new Request(request.url, { method: 'POST', headers, body, signal: request.signal });
}
