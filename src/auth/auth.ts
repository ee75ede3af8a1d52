import type { Config } from '@/env';
import { createBoundedCache } from '@/crypto/bounded-cache';
import { createTokenCodec } from '@/crypto/privacy-kit-token';

/** Who is calling, as a verified login token says. */
export interface Actor {
    accountId: string;
    /** `jti` of the token, what logout revokes. */
    tokenId: string;
    /** `iat` of the token, Unix seconds: what logout-all ends it by. */
    issuedAt: number;
    /** The token itself. Never logged. */
    token: string;
    /** What the token carries beside the account: `session` for a terminal's token. */
    extras: Record<string, unknown>;
}

/** What the database knows a token by. */
export type TokenFacts = Pick<Actor, 'accountId' | 'tokenId' | 'issuedAt'>;

/** Asked once per token and minute: does its account exist, and is the token not revoked? One D1 round trip. */
export type TokenLookup = (token: TokenFacts) => Promise<boolean>;

/** Login tokens: issued, verified, remembered for a minute per isolate (contract 3.2). */
export interface Auth {
    /** A new token of `accountId`; `notBefore` (Unix seconds) pushes its issue time past a logout-all. */
    createToken(accountId: string, extras?: Record<string, unknown>, notBefore?: number): Promise<string>;
    /** The actor of a valid token, else null. A signature costs 40 µs, the lookup a round trip; both once a minute. */
    verifyToken(token: string, isCurrent: TokenLookup): Promise<Actor | null>;
    /** Forgets one verified token in this isolate. */
    invalidateToken(token: string): void;
    /** Forgets every verified token of an account in this isolate. */
    invalidateUserTokens(accountId: string): void;
    getCacheStats(): { size: number; maxSize: number; ttlMs: number };
}

const CACHE_TTL_MS = 60_000;
const CACHE_SIZE = 10_000;

interface CachedToken {
    actor: Actor;
    until: number;
}

const instances = new WeakMap<Config, Auth>();

/** The `Auth` of a configuration: one per isolate, since it holds the cache of verified tokens. */
export function initAuth(config: Config, now: () => number = () => Date.now()): Auth {
    let auth = instances.get(config);
    if (!auth) {
        auth = createAuth(config.keys.loginSeed, now);
        instances.set(config, auth);
    }
    return auth;
}

function createAuth(loginSeed: Uint8Array, now: () => number): Auth {
    const codec = createTokenCodec({ seed: loginSeed, service: 'handy' });
    const cache = createBoundedCache<CachedToken>(CACHE_SIZE);
    // Counts invalidations: a lookup that was under way during one may have read the state before it, and is not kept.
    let epoch = 0;

    async function createToken(accountId: string, extras?: Record<string, unknown>, notBefore = 0): Promise<string> {
        const issuedAt = Math.max(Math.floor(now() / 1000), notBefore);
        return codec.sign({ user: accountId, extras, issuedAt, jti: crypto.randomUUID() });
    }

    async function verifyToken(token: string, isCurrent: TokenLookup): Promise<Actor | null> {
        const cached = cache.get(token);
        if (cached && cached.until > now()) return cached.actor;
        cache.delete(token);

        const claims = await codec.verify(token, now());
        if (!claims) return null;
        const startedIn = epoch;
        // The minute counts from here: what the lookup finds may be as old as its start.
        const until = now() + CACHE_TTL_MS;
        const { user: accountId, jti: tokenId, issuedAt, extras } = claims;
        if (!(await isCurrent({ accountId, tokenId, issuedAt }))) return null;

        const actor: Actor = { accountId, tokenId, issuedAt, token, extras };
        if (startedIn === epoch) cache.set(token, { actor, until });
        return actor;
    }

    function invalidateToken(token: string): void {
        epoch += 1;
        cache.delete(token);
    }

    function invalidateUserTokens(accountId: string): void {
        epoch += 1;
        for (const [token, { actor }] of cache.entries()) {
            if (actor.accountId === accountId) cache.delete(token);
        }
    }

    return {
        createToken,
        verifyToken,
        invalidateToken,
        invalidateUserTokens,
        getCacheStats: () => ({ size: cache.size, maxSize: CACHE_SIZE, ttlMs: CACHE_TTL_MS }),
    };
}
