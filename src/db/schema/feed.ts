import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { json, time } from '@/db/columns';
import { counterCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** An entry of an account's feed; `counter` comes from `Account.feedSeq` and is the cursor (contract 4.5). */
export const userFeedItems = sqliteTable(
    'UserFeedItem',
    {
        id: text('id').primaryKey(),
        userId: text('userId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'cascade' }),
        counter: integer('counter').notNull(),
        /** Items with the same key replace each other. */
        repeatKey: text('repeatKey'),
        body: json<Record<string, unknown>>('body').notNull(),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
    },
    (t) => [
        uniqueIndex('UserFeedItem_userId_counter_key').on(t.userId, t.counter),
        uniqueIndex('UserFeedItem_userId_repeatKey_key').on(t.userId, t.repeatKey),
        counterCheck(t.counter),
    ],
);
