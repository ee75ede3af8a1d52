import type { SQL } from 'drizzle-orm';
import { and, asc, eq, isNotNull, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { encodeBase64 } from '@/crypto/base64';
import { PAGE_BYTES, pageLimit, takePage } from '@/db/pages';
import { readBytes } from '@/db/read-bytes';
import { userKVStores } from '@/db/schema';
import { ServiceError } from '@/errors';
import type { BulkKvInput, GetKvInput, KvItem, ListKvInput } from '@/routers/kv/schema';

const { accountId, key, value, version } = userKVStores;

const item = { key, value: readBytes(value), version };

const bytes = sql<number>`octet_length(${value})`.as('bytes');

/** The value of a key. @throws NOT_FOUND also for a key that was deleted */
export async function getKv(ctx: AccountContext, input: GetKvInput): Promise<KvItem> {
    const [row] = await ctx.db
        .select(item)
        .from(userKVStores)
        .where(live(ctx, eq(key, input.key)));
    if (!row) throw new ServiceError('NOT_FOUND', 'Key not found');
    return toItem(row);
}

/** Keys in the order of their bytes, all or those that begin with `prefix`. */
export async function listKv(ctx: AccountContext, { prefix, limit }: ListKvInput): Promise<{ items: KvItem[] }> {
    const where = live(ctx, prefix ? beginsWith(prefix) : undefined);
    const sizes = ctx.db.select({ bytes }).from(userKVStores).where(where).orderBy(asc(key));
    const rows = await ctx.db
        .select({ ...item, bytes })
        .from(userKVStores)
        .where(where)
        .orderBy(asc(key))
        .limit(pageLimit(sizes, limit));
    return { items: toItems(rows, limit) };
}

/** Those of the keys that exist, in the order they were asked for. */
export async function bulkKv(ctx: AccountContext, { keys }: BulkKvInput): Promise<{ values: KvItem[] }> {
    // CROSS JOIN makes SQLite look each key up by the index, where an IN list could make it read the account's keys.
    const wanted = sql`json_each(${JSON.stringify([...new Set(keys)])}) k`;
    const where = live(ctx, eq(key, sql`k.value`));
    const sizes = ctx.db
        .select({ bytes })
        .from(wanted)
        .crossJoin(userKVStores)
        .where(where)
        .orderBy(sql`k.key`);
    const rows = await ctx.db
        .select({ ...item, bytes })
        .from(wanted)
        .crossJoin(userKVStores)
        .where(where)
        .orderBy(sql`k.key`)
        .limit(pageLimit(sizes, keys.length));
    return { values: toItems(rows, keys.length) };
}

function live(ctx: AccountContext, condition: SQL | undefined): SQL | undefined {
    return and(eq(accountId, ctx.actor.accountId), condition, isNotNull(value));
}

/** A range, so that the index serves it: no key has the byte 0xFF, and after the prefix it follows all that could. */
function beginsWith(prefix: string): SQL {
    return sql`${key} >= ${prefix} AND ${key} < ${prefix} || CAST(x'FF' AS TEXT)`;
}

interface StoredItem {
    key: string;
    value: Uint8Array | null;
    version: number;
}

/** These lists have no cursor: to leave out what is too much would look as if it did not exist. */
function toItems(rows: (StoredItem & { bytes: number })[], limit: number): KvItem[] {
    const { page, hasMore } = takePage(rows, limit);
    if (hasMore && page.length < limit) {
        throw new ServiceError('PAYLOAD_TOO_LARGE', `Values are over ${PAGE_BYTES} bytes together: ask for fewer keys`);
    }
    return page.map(toItem);
}

function toItem(row: StoredItem): KvItem {
    return { key: row.key, value: encodeBase64(row.value ?? new Uint8Array()), version: row.version };
}
