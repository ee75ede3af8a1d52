import { index, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { time } from '@/db/columns';
import { accounts } from '@/db/schema/accounts';

/** Expo push tokens of an account's devices (contract 4.4). */
export const accountPushTokens = sqliteTable(
    'AccountPushToken',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'restrict' }),
        token: text('token').notNull(),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
    },
    (t) => [uniqueIndex('AccountPushToken_accountId_token_key').on(t.accountId, t.token)],
);

/**
 * Notifications that Expo took but may still fail to deliver: its receipts, kept for a day, tell (contract 4.2).
 * WITHOUT ROWID, in the order they are asked for.
 */
export const pushTickets = sqliteTable(
    'PushTicket',
    {
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'cascade' }),
        createdAt: time('createdAt').notNull(),
        /** Expo's id of the receipt. */
        id: text('id').notNull(),
        token: text('token').notNull(),
    },
    (t) => [
        primaryKey({ columns: [t.accountId, t.createdAt, t.id] }),
        index('PushTicket_createdAt_idx').on(t.createdAt),
    ],
);
