import { sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { bytes, json, time } from '@/db/columns';
import { accounts } from '@/db/schema/accounts';

/** An account's token for an AI vendor, one per vendor, encrypted at rest (contract 3.3, 4.6). */
export const serviceAccountTokens = sqliteTable(
    'ServiceAccountToken',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'cascade' }),
        vendor: text('vendor').notNull(),
        token: bytes('token').notNull(),
        metadata: json<Record<string, unknown>>('metadata'),
        lastUsedAt: time('lastUsedAt'),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
    },
    (t) => [uniqueIndex('ServiceAccountToken_accountId_vendor_key').on(t.accountId, t.vendor)],
);
