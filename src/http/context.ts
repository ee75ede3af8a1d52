import type { Context as HonoContext } from 'hono';
import { initAuth } from '@/auth/auth';
import type { Actor } from '@/auth/auth';
import { tokenLookup } from '@/auth/revocation';
import type { Context } from '@/context';
import { getDb } from '@/db/client';
import type { HonoEnv } from '@/http/hono-env';
import { createHubs } from '@/realtime/publish';
import { createId } from '@/utils/id';

/** The context of one HTTP request, for any of its procedures. */
export function createContext(c: HonoContext<HonoEnv>): Context {
    const { env, executionCtx } = c;
    const { config, log, requestId } = c.var;
    const db = getDb(env.DB);
    const auth = initAuth(config);
    const bearerToken = readBearerToken(c.req.header('Authorization'));
    const clientAddress = c.req.header('CF-Connecting-IP') ?? 'unknown';
    let actor: Promise<Actor | null> | undefined;

    return {
        config,
        db,
        hubs: createHubs(env.ACCOUNT_HUB),
        auth,
        log,
        requestId,
        bearerToken,
        clientAddress,
        withinAuthLimit: async () => (await env.AUTH_LIMITER.limit({ key: clientAddress })).success,
        authenticate() {
            actor ??= bearerToken === null ? Promise.resolve(null) : auth.verifyToken(bearerToken, tokenLookup(db));
            return actor;
        },
        now: Date.now,
        newId: createId,
        waitUntil: (work) => executionCtx.waitUntil(work),
    };
}

/** RFC 6750: `Authorization: Bearer <token>`, the scheme without case. */
function readBearerToken(header: string | undefined): string | null {
    return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}
