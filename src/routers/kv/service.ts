import type { SQL } from 'drizzle-orm';
import { and, asc, eq, isNotNull, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { encodeBase64 } from '@/crypto/base64';
import { userKVStores } from '@/db/schema';
import { readBytes } from '@/db/read-bytes';
import { ServiceError } from '@/errors';
import type { BulkKvInput, GetKvInput, KvItem, ListKvInput } from '@/routers/kv/schema';

const { accountId, key, value, version } = userKVStores;

const columns = { key, value: readBytes(value), version };

/** The value of a key. @throws NOT_FOUND also for a key that was deleted */
export async function getKv(ctx: AccountContext, input: GetKvInput): Promise<KvItem> {
    const [row] = await ctx.db.select(columns).from(userKVStores).where(live(ctx, eq(key, input.key)));
    if (!row) throw new ServiceError('NOT_FOUND', 'Key not found');
    return toItem(row);
}

/** Keys in the order of their bytes, all or those that begin with `prefix`. */
export async function listKv(ctx: AccountContext, { prefix, limit }: ListKvInput): Promise<{ items: KvItem[] }> {
    const rows = await ctx.db
        .select(columns)
        .from(userKVStores)
        .where(live(ctx, prefix ? beginsWith(prefix) : undefined))
        .orderBy(asc(key))
        .limit(limit);
    return { items: rows.map(toItem) };
}

/** Those of the keys that exist, in the order they were asked for. */
export async function bulkKv(ctx: AccountContext, { keys }: BulkKvInput): Promise<{ values: KvItem[] }> {
    // CROSS JOIN makes SQLite look each key up by the index, where an IN list could make it read the account's keys.
    const rows = await ctx.db
        .select(columns)
        .from(sql`json_each(${JSON.stringify([...new Set(keys)])}) k`)
        .crossJoin(userKVStores)
        .where(live(ctx, eq(key, sql`k.value`)))
        .orderBy(sql`k.key`);
    return { values: rows.map(toItem) };
}

function live(ctx: AccountContext, condition: SQL | undefined): SQL | undefined {
    return and(eq(accountId, ctx.actor.accountId), condition, isNotNull(value));
}

/** A range, so that the index serves it: no key has the byte 0xFF, and after the prefix it follows all that could. */
function beginsWith(prefix: string): SQL {
    return sql`${key} >= ${prefix} AND ${key} < ${prefix} || CAST(x'FF' AS TEXT)`;
}

function toItem(row: { key: string; value: Uint8Array | null; version: number }): KvItem {
    return { key: row.key, value: encodeBase64(row.value ?? new Uint8Array()), version: row.version };
}
