import type { SQL } from 'drizzle-orm';
import { eq, sql } from 'drizzle-orm';
import type { BatchItem } from 'drizzle-orm/batch';
import { dialect } from '@/db/client';
import type { Db } from '@/db/client';
import { accounts } from '@/db/schema';

/** A read built with Drizzle (`db.select()…`), whose rows come back typed. */
export type Read = BatchItem<'sqlite'> & PromiseLike<unknown[]>;

/** What Drizzle keeps from its types though its own `batch` lives on it. */
interface PreparedRead {
    /** What is selected; absent for raw SQL. */
    fields?: unknown[];
    getQuery(): { sql: string; params: unknown[] };
    mapResult(result: unknown, isFromBatch: boolean): unknown;
}

type Rows<Reads extends readonly Read[]> = { -readonly [K in keyof Reads]: Awaited<Reads[K]> };

/** A write of one account: all or nothing, in one round trip, with its sequence numbers (contract 13, Writes). */
export interface AccountWrite<Row, Reads extends readonly Read[]> {
    accountId: string;
    /** Rows that foreign keys want gone before `main` runs; each filters by ownership itself. */
    before?: SQL[];
    /**
     * The conditional write that everything hangs on, with `RETURNING` what the caller needs of the changed
     * rows (`sql<Row>`).
     * Each changed row takes `updatesPerRow` numbers of the account's `seq`; a write that lost its condition takes none.
     */
    main: SQL<Row>;
    updatesPerRow?: number;
    /** Numbers that the write takes as a whole, however many rows it changed; instead of `updatesPerRow`. */
    updatesPerWrite?: number;
    /**
     * Writes that follow only if `main` changed something: each guards itself with `AND changes() > 0`, so each must
     * change a row whenever the one before it did.
     */
    sides?: SQL[];
    /** Reads at the end of the same batch: the state after the write. */
    reads?: Reads;
}

/** What a write did. */
export interface AccountWriteResult<Row, Reads extends readonly Read[]> {
    /** What `main` returned, a row for each row it changed. */
    changed: Row[];
    /** What each statement of `before` returned. */
    before: unknown[][];
    reads: Rows<Reads>;
    /** The account's `seq` after the batch; its own updates have the last numbers up to it. */
    seq: number;
}

/** Runs a write of one account in one batch. Rolls back whole when a statement fails. */
export async function writeForAccount<Row, const Reads extends readonly Read[] = readonly []>(
    db: Db,
    { accountId, before = [], main, updatesPerRow = 1, updatesPerWrite, sides = [], reads }: AccountWrite<Row, Reads>,
): Promise<AccountWriteResult<Row, Reads>> {
    const numbers = updatesPerWrite ?? sql`changes() * ${updatesPerRow}`;
    const takeNumbers = sql`UPDATE ${accounts} SET seq = seq + ${numbers}
        WHERE id = ${accountId} AND changes() > 0`;
    const readSeq = db.select({ seq: accounts.seq }).from(accounts).where(eq(accounts.id, accountId));
    const writes = [...before, main, ...(updatesPerRow > 0 ? [takeNumbers] : []), ...sides];

    const results = await writeBatch(db, writes, [...(reads ?? []), readSeq]);
    const [account] = results.reads.at(-1) as { seq: number }[];
    return {
        changed: results.written[before.length] as Row[],
        before: results.written.slice(0, before.length),
        reads: results.reads.slice(0, -1) as unknown as Rows<Reads>,
        seq: account?.seq ?? 0,
    };
}

/** Runs writes and then reads in one batch, atomically; for writes that belong to no account's sequence or to several. */
export async function writeBatch<const Reads extends readonly Read[]>(
    db: Db,
    writes: SQL[],
    reads: Reads,
): Promise<{ written: unknown[][]; reads: Rows<Reads> }> {
    const client = db.$client;
    const prepared = reads.map((read) => (read as unknown as { _prepare(): PreparedRead })._prepare());
    const statements = [
        ...writes.map((write) => dialect.sqlToQuery(write)),
        ...prepared.map((read) => read.getQuery()),
    ];
    const results = await client.batch(statements.map(({ sql: text, params }) => client.prepare(text).bind(...params)));
    return {
        written: writes.map((_, i) => results[i]?.results ?? []),
        reads: prepared.map((read, i) => mapRead(read, results[writes.length + i])) as Rows<Reads>,
    };
}

/** A batch's rows come by column name: of two columns of one name (a join's two `id`s) one is lost and the rest slip. */
function mapRead(read: PreparedRead, result: D1Result | undefined): unknown {
    const [row] = result?.results ?? [];
    if (row && read.fields && Object.keys(row).length !== read.fields.length) {
        throw new Error('Two columns of a read in a batch have one name: select one of them as an aliased expression');
    }
    return read.mapResult(result, true);
}

/**
 * A list as a row source `(SELECT value FROM …)`, whatever its length: D1 takes 100 bound parameters of 2 MB each, so
 * the list travels as JSON in as few `json_each(?)` parameters of at most 1.5 MB as it needs.
 */
export function jsonRows(items: readonly unknown[]): SQL {
    const [first = '[]', ...others] = jsonChunks(items);
    if (others.length === 0) return sql`(SELECT value FROM json_each(${first}))`;
    // Not a UNION: D1 refuses one of more than five parts.
    const parts = [first, ...others].map((chunk, i) => sql`WHEN ${sql.raw(String(i))} THEN ${chunk}`);
    const numbers = sql.raw(`'[${parts.map((_, i) => i).join()}]'`);
    return sql`(SELECT item.value FROM json_each(${numbers}) part CROSS JOIN
        json_each(CASE part.value ${sql.join(parts, sql` `)} END) item)`;
}

const CHUNK_BYTES = 1_500_000;

/** JSON arrays of at most `CHUNK_BYTES`, except that a longer item stands alone. */
function jsonChunks(items: readonly unknown[]): string[] {
    const chunks: string[][] = [];
    let room = 0;
    for (const item of items) {
        const json = JSON.stringify(item);
        // With its comma; the brackets are the first one's.
        const size = Buffer.byteLength(json) + 1;
        if (size >= room) {
            chunks.push([]);
            room = CHUNK_BYTES;
        }
        chunks.at(-1)?.push(json);
        room -= size;
    }
    return chunks.map((chunk) => `[${chunk.join(',')}]`);
}
