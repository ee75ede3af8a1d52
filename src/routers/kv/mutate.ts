import { and, eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { encodeBase64 } from '@/crypto/base64';
import { encodeHex } from '@/crypto/hex';
import { jsonRows, writeForAccount } from '@/db/batch';
import { pageLimit, takePage } from '@/db/pages';
import { readBytes } from '@/db/read-bytes';
import { userKVStores } from '@/db/schema';
import { announce } from '@/realtime/publish';
import type { MutateKvInput, MutateKvOutput } from '@/routers/kv/schema';

/**
 * Writes all of the mutations if every key has the version it is said to have, else none (contract 4.4). A deleted key
 * keeps its row and version, as a tombstone: versions never go down.
 */
export async function mutateKv(ctx: AccountContext, { mutations }: MutateKvInput): Promise<MutateKvOutput> {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const { key, version, value } = userKVStores;
    const expected = sql`${jsonRows(mutations.map((mutation) => [mutation.key, mutation.version]))} e`;
    const stored = and(eq(userKVStores.accountId, accountId), eq(key, sql`e.value ->> 0`));
    const differs = sql`coalesce(${version}, -1) <> e.value ->> 1`;
    const items = mutations.map((mutation) => [
        ctx.newId(),
        mutation.key,
        mutation.version + 1,
        // JSON holds no bytes, and SQLite reads no base64.
        mutation.value && encodeHex(mutation.value),
    ]);

    // Only if nothing was written, and no more than an answer can hold: the rest is told when these are mended.
    const lost = sql`changes() = 0 AND ${differs}`;
    const bytes = sql<number>`ifnull(octet_length(${value}), 0)`.as('bytes');
    const sizes = ctx.db.select({ bytes }).from(expected).leftJoin(userKVStores, stored).where(lost);

    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`INSERT INTO ${userKVStores} (id, accountId, key, version, value, createdAt, updatedAt)
            SELECT m.value ->> 0, ${accountId}, m.value ->> 1, m.value ->> 2, unhex(m.value ->> 3), ${now}, ${now}
            FROM ${jsonRows(items)} m
            WHERE NOT EXISTS (SELECT 1 FROM ${expected} LEFT JOIN ${userKVStores} ON ${stored} WHERE ${differs})
            ON CONFLICT (accountId, key) DO UPDATE
            SET version = excluded.version, value = excluded.value, updatedAt = excluded.updatedAt
            RETURNING key`,
        updatesPerWrite: 1,
        reads: [
            ctx.db
                .select({
                    key: sql<string>`e.value ->> 0`,
                    version: sql<number>`coalesce(${version}, -1)`,
                    value: readBytes(value),
                    bytes,
                })
                .from(expected)
                .leftJoin(userKVStores, stored)
                .where(lost)
                .limit(pageLimit(sizes, mutations.length)),
        ],
    });
    const changes = mutations.map((mutation) => ({
        key: mutation.key,
        value: mutation.value && encodeBase64(mutation.value),
        version: mutation.version + 1,
    }));
    const won = changed.length > 0;
    announce(ctx, { accountId, seq, updates: won ? [{ body: { t: 'kv-batch-update', changes }, to: {} }] : [] });
    if (won) return { success: true, results: changes.map(({ value: _, ...result }) => result) };
    return {
        success: false,
        errors: takePage(reads[0], mutations.length).page.map((row) => ({
            key: row.key,
            error: 'version-mismatch',
            version: row.version,
            value: row.value && encodeBase64(row.value),
        })),
    };
}
