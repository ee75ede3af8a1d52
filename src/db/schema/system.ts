import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { time } from '@/db/columns';

/** Locks held across requests; free again once `expiresAt` has passed. WITHOUT ROWID. */
export const globalLocks = sqliteTable('GlobalLock', {
    key: text('key').primaryKey(),
    value: text('value').notNull(),
    createdAt: time('createdAt').notNull(),
    updatedAt: time('updatedAt').notNull(),
    expiresAt: time('expiresAt').notNull(),
});

/** Results of work that must not happen twice, kept until `expiresAt`. WITHOUT ROWID. */
export const repeatKeys = sqliteTable(
    'RepeatKey',
    {
        key: text('key').primaryKey(),
        value: text('value').notNull(),
        createdAt: time('createdAt').notNull(),
        expiresAt: time('expiresAt').notNull(),
    },
    (t) => [index('RepeatKey_expiresAt_idx').on(t.expiresAt)],
);

/** A cache that all Workers share. */
export const simpleCaches = sqliteTable('SimpleCache', {
    key: text('key').primaryKey(),
    value: text('value').notNull(),
    createdAt: time('createdAt').notNull(),
    updatedAt: time('updatedAt').notNull(),
});
