import { sql } from 'drizzle-orm';
import { index, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { json, time } from '@/db/columns';
import { accounts } from '@/db/schema/accounts';
import { sessions } from '@/db/schema/sessions';

/** What a report counts: tokens and cost, each with a `total` and any finer parts. */
export interface UsageData {
    tokens: Record<string, number>;
    cost: Record<string, number>;
}

/**
 * Tokens and cost a session (or the account itself) reported under a key; a later report replaces it (contract 4.5, 5).
 *
 * Delete a session's reports before the session: the foreign key would null them, as in the Node schema.
 */
export const usageReports = sqliteTable(
    'UsageReport',
    {
        id: text('id').primaryKey(),
        key: text('key').notNull(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'restrict' }),
        sessionId: text('sessionId').references(() => sessions.id, { onDelete: 'set null' }),
        data: json<UsageData>('data').notNull(),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
    },
    (t) => [
        uniqueIndex('UsageReport_accountId_sessionId_key_key').on(t.accountId, t.sessionId, t.key),
        // NULLs are distinct to a unique index: reports without a session need one of their own.
        uniqueIndex('UsageReport_accountId_key_key')
            .on(t.accountId, t.key)
            .where(sql`${t.sessionId} is null`),
        index('UsageReport_accountId_createdAt_idx').on(t.accountId, t.createdAt),
        index('UsageReport_sessionId_createdAt_idx').on(t.sessionId, t.createdAt),
    ],
);
