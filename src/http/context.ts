import type { Context as HonoContext } from 'hono';
import type { Actor } from '@/auth/auth';
import { tokenLookup } from '@/auth/revocation';
import type { Context } from '@/context';
import { createServiceContext } from '@/context';
import type { HonoEnv } from '@/http/hono-env';

/** The context of one HTTP request, for any of its procedures. */
export function createContext(c: HonoContext<HonoEnv>): Context {
    const { env, executionCtx } = c;
    const { config, log, requestId } = c.var;
    const services = createServiceContext(env, {
        config,
        log,
        waitUntil: (work) => executionCtx.waitUntil(work),
        origin: c.req.url.slice(0, c.req.url.indexOf('/', 'https://'.length)),
    });
    const token = readBearerToken(c.req.header('Authorization'));
    const address = c.req.header('CF-Connecting-IP') ?? 'unknown';
    let actor: Promise<Actor | null> | undefined;

    return {
        ...services,
        requestId,
        withinAuthLimit: (share) => services.withinAuthLimitOf(share === undefined ? address : `${share}:${address}`),
        authenticate() {
            actor ??=
                token === null ? Promise.resolve(null) : services.auth.verifyToken(token, tokenLookup(services.db));
            return actor;
        },
    };
}

/** RFC 6750: `Authorization: Bearer <token>`, the scheme without case. */
function readBearerToken(header: string | undefined): string | null {
    return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}
