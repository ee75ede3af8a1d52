import { and, eq, exists, lt, not, sql } from 'drizzle-orm';
import type { TokenLookup } from '@/auth/auth';
import type { Db } from '@/db/client';
import { accounts, revokedTokens } from '@/db/schema';

/**
 * Whether a token's account exists and neither logout (its `jti`) nor logout-all (its issue time) has ended it.
 * One statement (contract 3.2).
 */
export function tokenLookup(db: Db): TokenLookup {
    return async ({ accountId, tokenId, issuedAt }) => {
        const revoked = db.select({ one: sql`1` }).from(revokedTokens).where(eq(revokedTokens.jti, tokenId));
        const rows = await db
            .select({ id: accounts.id })
            .from(accounts)
            .where(and(eq(accounts.id, accountId), lt(accounts.tokensNotBefore, issuedAt), not(exists(revoked))));
        return rows.length > 0;
    };
}
