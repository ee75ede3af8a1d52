import { drizzle } from 'drizzle-orm/d1';
import type { DrizzleD1Database } from 'drizzle-orm/d1';
import { schema } from '@/db/schema';

/** The typed database. A write is one `batch`; `transaction` throws on D1 (contract 9). */
export type Db = DrizzleD1Database<typeof schema> & { $client: D1Database };

const instances = new WeakMap<D1Database, Db>();

/** Drizzle over a D1 binding. Building it walks the whole schema, so each binding gets one instance for its lifetime. */
export const getDb = (binding: D1Database): Db => {
    const known = instances.get(binding);
    if (known) return known;
    const db = drizzle(binding, { schema });
    instances.set(binding, db);
    return db;
};
