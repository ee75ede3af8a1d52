import { DrizzleD1Database } from 'drizzle-orm/d1';
import { SQLiteD1Session } from 'drizzle-orm/d1/session';
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';

/**
 * The typed database. A write is one `batch`; `transaction` throws on D1 (contract 9). Without `query`: it would need
 * every table at the start, and a join or a batch says the same in the one round trip a request may take.
 */
export type Db = DrizzleD1Database & { $client: D1Database };

const instances = new WeakMap<D1Database, Db>();

/** How SQL is written; a batch of raw writes needs it too. */
export const dialect = new SQLiteAsyncDialect();

/** Drizzle over a D1 binding; each binding gets one instance for its lifetime. */
export const getDb = (binding: D1Database): Db => {
    const known = instances.get(binding);
    if (known) return known;
    // What its own `drizzle()` builds, without the part that reads relations.
    const session = new SQLiteD1Session<Record<string, never>, Record<string, never>>(binding, dialect, undefined);
    const database = new DrizzleD1Database('async', dialect, session, undefined);
    const db = Object.assign(database, { $client: binding });
    instances.set(binding, db);
    return db;
};
