import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { time } from '@/db/columns';
import { counterCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** Voice conversations, for the limits per 30 days (contract 4.6). */
export const voiceConversations = sqliteTable(
    'VoiceConversation',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'cascade' }),
        agentId: text('agentId').notNull(),
        startedAt: time('startedAt').notNull(),
        endedAt: time('endedAt'),
        usedSeconds: integer('usedSeconds').notNull().default(0),
    },
    (t) => [
        index('VoiceConversation_accountId_startedAt_idx').on(t.accountId, t.startedAt),
        counterCheck(t.usedSeconds),
    ],
);
