import type { Hono } from 'hono';
import { HonoBase } from 'hono/hono-base';
import { TrieRouter } from 'hono/router/trie-router';
import { mountDocs } from '@/http/docs';
import { errorResponse, notFound } from '@/http/errors';
import { mountGithub } from '@/http/github';
import { mountFiles } from '@/http/files';
import { mountHealth, welcome } from '@/http/health';
import type { HonoEnv } from '@/http/hono-env';
import { configuration } from '@/http/middleware/configuration';
import { correlationId } from '@/http/middleware/correlation-id';
import { cors } from '@/http/middleware/cors';
import { drain } from '@/http/middleware/drain';
import { requestLog } from '@/http/middleware/request-log';
import { securityHeaders } from '@/http/middleware/security-headers';
import { mountRest } from '@/http/rest';
import { mountTrpc } from '@/http/trpc';
import { mountUpgrade } from '@/http/upgrade';

/** The whole HTTP story: what every request passes through, then the doors. */
export function createApp(): Hono<HonoEnv> {
    // What Hono itself ends up with for these routes, after trying a router that cannot tell `:id` from `:sessionId`.
    const app: Hono<HonoEnv> = new HonoBase<HonoEnv>({ router: new TrieRouter() });
    app.use(correlationId(), requestLog(), securityHeaders(), cors(), drain());
    mountHealth(app);

    app.use(configuration());
    app.get('/', welcome);
    mountDocs(app);
    mountGithub(app);
    mountFiles(app);
    mountTrpc(app);
    mountUpgrade(app);
    mountRest(app);

    app.notFound(notFound);
    app.onError((error, c) => errorResponse(c, error));
    return app;
}
