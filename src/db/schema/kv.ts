import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { bytes, time } from '@/db/columns';
import { counterCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** An account's versioned key-value store; a null value is a tombstone, whose version counts on (contract 4.4). */
export const userKVStores = sqliteTable(
    'UserKVStore',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'cascade' }),
        key: text('key').notNull(),
        version: integer('version').notNull().default(0),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        value: bytes('value'),
    },
    (t) => [uniqueIndex('UserKVStore_accountId_key_key').on(t.accountId, t.key), counterCheck(t.version)],
);
