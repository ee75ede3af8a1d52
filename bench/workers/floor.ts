import { Hono } from 'hono';
import type { Context } from 'hono';
import { initAuth } from '@/auth/auth';
import { tokenLookup } from '@/auth/revocation';
import type { AccountContext, ServiceContext } from '@/context';
import { decodeBase64 } from '@/crypto/base64';
import { getDb } from '@/db/client';
import { loadConfig } from '@/env';
import type { Env } from '@/env';
import { createHubs } from '@/realtime/publish';
import { login } from '@/routers/auth/service';
import { appendMessages } from '@/routers/messages/append';
import { listMessages } from '@/routers/messages/lists';
import { listSessions } from '@/routers/sessions/lists';
import { createSession } from '@/routers/sessions/service';
import { createId } from '@/utils/id';
import { createLogger } from '@/utils/logger';

export { AccountHub } from '@/realtime/hub';
export { SocketGateway } from '@/realtime/gateway';

/**
 * The floor of the REST facade: bare Hono handlers that do the same work (whose token it is, the same statements, the
 * same publication) and nothing else. No tRPC, no schemas, no middleware, nothing checked.
 */
const app = new Hono<{ Bindings: Env }>();

type Bare = Context<{ Bindings: Env }>;

async function services(c: Bare): Promise<ServiceContext> {
    const { env, executionCtx } = c;
    const config = await loadConfig(env);
    return {
        config,
        db: getDb(env.DB),
        hubs: createHubs(env.ACCOUNT_HUB),
        auth: initAuth(config),
        log: createLogger({}, 'error'),
        now: () => Date.now(),
        newId: () => createId(Date.now()),
        waitUntil: (work: Promise<unknown>) => executionCtx.waitUntil(work),
        // What the benchmarked services don't touch.
    } as ServiceContext;
}

async function acting(c: Bare): Promise<AccountContext> {
    const ctx = await services(c);
    const token = (c.req.header('Authorization') ?? '').slice('Bearer '.length);
    const actor = await ctx.auth.verifyToken(token, tokenLookup(ctx.db));
    if (!actor) throw new Error('Unauthorized');
    return { ...ctx, actor };
}

app.post('/v1/auth', async (c) => {
    const { publicKey, challenge, signature } =
        await c.req.json<Record<'publicKey' | 'challenge' | 'signature', string>>();
    return c.json(
        await login(await services(c), {
            publicKey: bytesOf(publicKey),
            challenge: bytesOf(challenge),
            signature: bytesOf(signature),
        }),
    );
});

app.post('/v1/sessions', async (c) => c.json(await createSession(await acting(c), await c.req.json())));

app.get('/v1/sessions', async (c) => c.json(await listSessions(await acting(c))));

app.get('/v3/sessions/:sessionId/messages', async (c) =>
    c.json(
        await listMessages(await acting(c), {
            sessionId: c.req.param('sessionId'),
            limit: Number(c.req.query('limit') ?? 100),
        }),
    ),
);

app.post('/v3/sessions/:sessionId/messages', async (c) => {
    const { messages } = await c.req.json<{ messages: { content: string; localId: string }[] }>();
    return c.json(await appendMessages(await acting(c), { sessionId: c.req.param('sessionId'), messages }));
});

function bytesOf(base64: string) {
    const bytes = decodeBase64(base64);
    if (!bytes) throw new Error('Not base64');
    return bytes;
}

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
