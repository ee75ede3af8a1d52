import { Buffer } from 'node:buffer';
import { sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { customType, integer, text } from 'drizzle-orm/sqlite-core';

/** What a BLOB looks like when it comes back: D1 sends an array of numbers, other SQLite drivers a buffer. */
type StoredBytes = ArrayBuffer | Uint8Array | number[];

const largeBytes = 16_384;

/** A bound text ends at 2 MB; this many bytes are 1.8 MB of hex. */
const hexPieceBytes = 900_000;

/** D1 binds bytes as a JSON array of numbers: past a few KB, hex costs it a tenth of the time. */
const asHex = (value: Uint8Array): SQL => {
    const pieces: SQL[] = [];
    for (let start = 0; start < value.byteLength; start += hexPieceBytes) {
        const length = Math.min(hexPieceBytes, value.byteLength - start);
        const hex = Buffer.from(value.buffer, value.byteOffset + start, length).toString('hex');
        pieces.push(sql`unhex(${hex})`);
    }
    // `||` joins bytes as they are, but calls the result a text.
    return sql`cast(${sql.join(pieces, sql` || `)} as blob)`;
};

/**
 * Bytes, a `Uint8Array` in code and a BLOB in the database (contract 9).
 *
 * Large values become an SQL expression, which a prepared statement's placeholder cannot take: pass those as values.
 */
export const bytes = customType<{ data: Uint8Array; driverData: StoredBytes }>({
    dataType: () => 'blob',
    toDriver: (value) => (value.byteLength > largeBytes ? asHex(value) : value),
    fromDriver: (value) => (value instanceof Uint8Array ? value : new Uint8Array(value)),
});

/** A point in time: Unix milliseconds, a plain number in code too, as it travels on every wire (contract 2). */
export const time = <TName extends string>(name: TName) => integer(name, { mode: 'number' });

/** A boolean, stored as 0 or 1. Pair it with `flagCheck`. */
export const flag = <TName extends string>(name: TName) => integer(name, { mode: 'boolean' });

/**
 * Any JSON value of shape `T`, stored as text.
 *
 * Drizzle writes a top-level `null` as SQL NULL, so a NOT NULL column cannot hold the JSON value `null` through it.
 */
export const json = <T>(name: string) => text(name, { mode: 'json' }).$type<T>();
