import { sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
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
