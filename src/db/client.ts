import { drizzle } from 'drizzle-orm/d1';
import type { DrizzleD1Database } from 'drizzle-orm/d1';

/**
 * The typed database. A write is one `batch`; `transaction` throws on D1 (contract 9). Without `query`: it would need
 * every table at the start, and a join or a batch says the same in the one round trip a request may take.
 */
export type Db = DrizzleD1Database & { $client: D1Database };

const instances = new WeakMap<D1Database, Db>();

/** Drizzle over a D1 binding; each binding gets one instance for its lifetime. */
export const getDb = (binding: D1Database): Db => {
    const known = instances.get(binding);
    if (known) return known;
    const db = drizzle(binding);
    instances.set(binding, db);
    return db;
};
