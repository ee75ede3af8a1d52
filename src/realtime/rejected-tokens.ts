import { encodeHex } from '@/crypto/hex';

/** How long a rejected token is remembered, in ms (contract 7.1). */
export const REMEMBER_MS = 10 * 60_000;
/** In memory; past it the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;
/** On disk, where each costs a row: what daemons keep trying is a handful, and a flood of inventions must not pay out. */
const MAX_KEPT = 200;

/**
 * Tokens that were rejected, by their hash: published daemons try a bad one again every three seconds, for ever, and
 * answering costs nothing then but a look-up. Kept over evictions.
 */
export interface RejectedTokens {
    has(hash: string): boolean;
    add(hash: string): void;
}

/** Opens them in an object's SQLite. */
export function createRejectedTokens({ sql }: DurableObjectStorage, now: () => number): RejectedTokens {
    sql.exec('CREATE TABLE IF NOT EXISTS RejectedToken (hash TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID');
    const rows = sql
        .exec<{ hash: string; until: number }>('SELECT hash, until FROM RejectedToken ORDER BY until')
        .toArray();
    const until = new Map(rows.map((row) => [row.hash, row.until]));
    const kept = new Map(until);

    function forgetEnded(): void {
        for (const [hash, end] of kept) if (end <= now()) kept.delete(hash);
        sql.exec('DELETE FROM RejectedToken WHERE until <= ?', now());
    }

    return {
        has: (hash) => (until.get(hash) ?? 0) > now(),
        add(hash) {
            const end = now() + REMEMBER_MS;
            // Anew at the end: the first is the oldest.
            until.delete(hash);
            until.set(hash, end);
            const oldest = until.keys().next();
            if (until.size > MAX_REMEMBERED && !oldest.done) until.delete(oldest.value);

            if (kept.size >= MAX_KEPT) forgetEnded();
            if (kept.size >= MAX_KEPT) return;
            kept.set(hash, end);
            sql.exec('INSERT OR REPLACE INTO RejectedToken (hash, until) VALUES (?, ?)', hash, end);
        },
    };
}

/**
 * What a token is remembered by: the token itself is nothing to keep. While the master secret is rotated, gateways with
 * the old `loginSeed` meet tokens of the new one, and must not remember these for those that come after.
 */
export async function hashToken(token: string, loginSeed: Uint8Array): Promise<string> {
    const both = Buffer.concat([loginSeed, Buffer.from(token)]);
    return encodeHex(new Uint8Array(await crypto.subtle.digest('SHA-256', both)));
}
