import { and, eq, exists, lt, not, sql } from 'drizzle-orm';
import type { TokenFacts, TokenLookup } from '@/auth/auth';
import type { AccountContext } from '@/context';
import type { Db } from '@/db/client';
import { accounts, revokedTokens } from '@/db/schema';
import { ServiceError } from '@/errors';

/**
 * The account of a token while the token stands: its account exists, and neither logout (its `jti`) nor logout-all (its
 * issue time) has ended it; no row otherwise (contract 3.2).
 *
 * Whatever gives out lasting access asks it in its own statement: the cache of verified tokens may be a minute old, and
 * a token that was ended meanwhile must not turn itself into a new one.
 */
export function selectCurrentAccount(db: Db, { accountId, tokenId, issuedAt }: TokenFacts) {
    const revoked = db
        .select({ one: sql`1` })
        .from(revokedTokens)
        .where(eq(revokedTokens.jti, tokenId));
    return db
        .select({ id: accounts.id, tokensNotBefore: accounts.tokensNotBefore })
        .from(accounts)
        .where(and(eq(accounts.id, accountId), lt(accounts.tokensNotBefore, issuedAt), not(exists(revoked))));
}

/** Whether a token still stands, for the cache of verified tokens. */
export function tokenLookup(db: Db): TokenLookup {
    return async (token) => (await selectCurrentAccount(db, token)).length > 0;
}

/** The refusal of a token that `selectCurrentAccount` did not find, which this isolate forgets with it. */
export function endedToken({ auth, actor }: AccountContext): ServiceError {
    auth.invalidateToken(actor.token);
    return new ServiceError('UNAUTHORIZED', 'Unauthorized');
}
