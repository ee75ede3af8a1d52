import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import type { Hono } from 'hono';
import { describeForLog, toPublicError } from '@/errors';
import { readJsonText } from '@/http/body';
import { createContext } from '@/http/context';
import type { HonoEnv } from '@/http/hono-env';
import { upgradeTrpc } from '@/http/trpc-socket';
import { isInterruption } from '@/realtime/follow';
import { appRouter } from '@/routers';
import { MAX_BATCH, requestIds } from '@/trpc';

/** Serves the procedures to tRPC clients at `/trpc` (contract 8). */
export function mountTrpc(app: Hono<HonoEnv>): void {
    app.all('/trpc/*', async (c) => {
        if (c.req.header('Upgrade')?.toLowerCase() === 'websocket') return upgradeTrpc(c);
        let startAt: string | undefined;
        const response = await fetchRequestHandler({
            endpoint: '/trpc',
            req: boundedRequest(c.req.raw),
            router: appRouter,
            createContext: () => ({ ...createContext(c), startStreamAt: (eventId) => (startAt = eventId) }),
            maxBatchSize: MAX_BATCH,
            responseMeta: ({ errors }) => ({ headers: retryHeaders(errors) }),
            onError({ error, ctx, type }) {
                if (!ctx) requestIds.set(error, c.var.requestId);
                // A stream that was interrupted is continued: nothing is wrong.
                if (type === 'subscription' && isInterruption(error)) return;
                if (toPublicError(error).status >= 500) {
                    c.var.log.error('procedure failed', { error: describeForLog(error) });
                }
            },
        });
        return startAt === undefined ? typed(response) : startingAt(startAt, response);
    });
}

/** Gives the first event of a stream, tRPC's own `connected`, an id: an EventSource that is cut off then comes back with it. */
function startingAt(eventId: string, response: Response): Response {
    const line = new TextEncoder().encode(`id: ${eventId}\n`);
    const prefix = new TransformStream({ start: (controller) => controller.enqueue(line) });
    return new Response(response.body?.pipeThrough(prefix), response);
}

/**
 * What tRPC reads of a request, its body within our limit and rules, and only when a procedure asks for its input. The
 * content type is checked with the body, so tRPC's readers of forms and bytes, which have no limit, are never used.
 */
function boundedRequest(request: Request): Request {
    const { method, url, signal } = request;
    const headers = new Headers(request.headers);
    headers.set('Content-Type', 'application/json');
    return { method, url, headers, signal, text: () => readJsonText(request) } satisfies Partial<Request> as Request;
}

function retryHeaders(errors: unknown[]): Headers {
    const waits = errors.map((error) => toPublicError(error).retryAfter ?? 0);
    const longest = Math.max(0, ...waits);
    return new Headers(longest > 0 ? { 'Retry-After': String(longest) } : {});
}

/** tRPC leaves the type off when it refuses a request as a whole, although the body is JSON. */
function typed(response: Response): Response {
    if (response.body && response.status >= 400 && !response.headers.get('Content-Type')?.includes('json')) {
        response.headers.set('Content-Type', 'application/json');
    }
    return response;
}
