import { exists, sql } from 'drizzle-orm';
import { challengeExpiry, createChallenge } from '@/auth/challenges';
import { endedToken, selectCurrentAccount } from '@/auth/revocation';
import type { AccountContext, ServiceContext } from '@/context';
import { encodeBase64 } from '@/crypto/base64';
import { verifySignature } from '@/crypto/ed25519';
import { encodeHexUpper } from '@/crypto/hex';
import { CLOCK_TOLERANCE_SECONDS } from '@/crypto/privacy-kit-token';
import { writeBatch } from '@/db/batch';
import { accounts, revokedTokens, usedChallenges } from '@/db/schema';
import { ServiceError } from '@/errors';
import { closeSockets } from '@/realtime/publish';
import type { ChallengeInput, LoginInput } from '@/routers/auth/schema';

/** How long the same signed challenge logs in again: a client's retry, not a replay (contract 4.1). */
const RETRY_WITHIN_MS = 10 * 60_000;

/** Logs in with a signed challenge; the account is made with its first login (contract 4.1). */
export async function login(ctx: ServiceContext, { publicKey, challenge, signature }: LoginInput) {
    const now = ctx.now();
    const { requireServerChallenge, keys } = ctx.config;
    const expiresAt = requireServerChallenge ? await challengeExpiry(keys.keyTree, publicKey, challenge) : Infinity;
    if (expiresAt === null) throw invalidSignature();
    if (!(await verifySignature(publicKey, challenge, signature))) throw invalidSignature();

    const hash = await challengeHash(publicKey, challenge);
    const { written } = await writeBatch(
        ctx.db,
        [
            // An expired challenge is not used any more, but a client may still repeat what it did in time.
            sql`INSERT INTO ${usedChallenges} (hash, usedAt) SELECT ${hash}, ${now} WHERE ${Number(expiresAt > now)}
                ON CONFLICT DO NOTHING`,
            sql`INSERT INTO ${accounts} (id, publicKey, createdAt, updatedAt)
                SELECT ${ctx.newId()}, ${encodeHexUpper(publicKey)}, ${now}, ${now} WHERE EXISTS (
                    SELECT 1 FROM ${usedChallenges} WHERE hash = ${hash} AND usedAt > ${now - RETRY_WITHIN_MS})
                ON CONFLICT (publicKey) DO UPDATE SET updatedAt = excluded.updatedAt
                RETURNING id, tokensNotBefore`,
        ],
        [],
    );
    const [account] = written[1] as { id: string; tokensNotBefore: number }[];
    if (!account) throw invalidSignature();
    return {
        success: true as const,
        token: await ctx.auth.createToken(account.id, undefined, account.tokensNotBefore + 1),
    };
}

/** A challenge of this server for a public key, stateless (contract 4.1). */
export function issueChallenge(ctx: ServiceContext, { publicKey }: ChallengeInput) {
    return createChallenge(ctx.config.keys.keyTree, publicKey, ctx.now());
}

/**
 * A new token with the extras of the calling one, which stays valid (contract 13).
 * @throws UNAUTHORIZED when the calling token has been ended, though this isolate may not know it yet
 */
export async function refresh(ctx: AccountContext) {
    const { accountId, extras } = ctx.actor;
    const [account] = await selectCurrentAccount(ctx.db, ctx.actor);
    if (!account) throw endedToken(ctx);
    return {
        success: true as const,
        token: await ctx.auth.createToken(accountId, extras, account.tokensNotBefore + 1),
    };
}

/** Ends the calling token: here at once, in other isolates within a minute (contract 3.2). */
export async function logout(ctx: AccountContext) {
    const { accountId, tokenId, token } = ctx.actor;
    try {
        await writeBatch(
            ctx.db,
            [
                sql`INSERT INTO ${revokedTokens} (jti, accountId, revokedAt)
                    VALUES (${tokenId}, ${accountId}, ${ctx.now()}) ON CONFLICT DO NOTHING`,
            ],
            [],
        );
    } finally {
        // Also after an error: D1 may have committed before the connection broke.
        ctx.auth.invalidateToken(token);
        closeSockets(ctx, accountId, { tokenId });
    }
    return { success: true as const };
}

/**
 * Ends every token of the account issued up to now. Token times are whole seconds, so a login right after it is dated
 * one second later; the cutoff passes such tokens too when they are ended in their turn.
 * @throws UNAUTHORIZED when the calling token has been ended, RATE_LIMITED when a login could not work right after it
 */
export async function logoutAll(ctx: AccountContext) {
    const { accountId, issuedAt } = ctx.actor;
    const now = Math.floor(ctx.now() / 1000);
    // Each one within a second dates the next login a second later, at last too far ahead of the clock to be valid.
    const ahead = issuedAt - now - CLOCK_TOLERANCE_SECONDS;
    if (ahead >= 0) throw new ServiceError('RATE_LIMITED', 'Too many requests, try again', undefined, ahead + 1);
    try {
        const { written } = await writeBatch(
            ctx.db,
            [
                sql`UPDATE ${accounts} SET tokensNotBefore = max(tokensNotBefore + 1, ${now})
                    WHERE id = ${accountId} AND ${exists(selectCurrentAccount(ctx.db, ctx.actor))}
                    RETURNING tokensNotBefore`,
            ],
            [],
        );
        const [ended] = written[0] as { tokensNotBefore: number }[];
        if (!ended) throw endedToken(ctx);
        closeSockets(ctx, accountId, { issuedUpTo: ended.tokensNotBefore });
    } finally {
        ctx.auth.invalidateUserTokens(accountId);
    }
    return { success: true as const };
}

async function challengeHash(publicKey: Uint8Array, bytes: Uint8Array): Promise<string> {
    // Public keys have one length here, so the two parts cannot run into each other.
    const both = new Uint8Array(publicKey.length + bytes.length);
    both.set(publicKey);
    both.set(bytes, publicKey.length);
    return encodeBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', both)));
}

function invalidSignature(): ServiceError {
    return new ServiceError('UNAUTHORIZED', 'Invalid signature');
}
