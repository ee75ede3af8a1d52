import { foreignKey, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { time } from '@/db/columns';
import { counterCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';
import { machines } from '@/db/schema/machines';
import { sessions } from '@/db/schema/sessions';

/** What a machine needs to work on a session, encrypted; one per account, machine and session (contract 4.4). */
export const accessKeys = sqliteTable(
    'AccessKey',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'restrict' }),
        machineId: text('machineId').notNull(),
        sessionId: text('sessionId')
            .notNull()
            .references(() => sessions.id, { onDelete: 'restrict' }),
        dataVersion: integer('dataVersion').notNull().default(0),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        data: text('data').notNull(),
    },
    (t) => [
        foreignKey({
            columns: [t.accountId, t.machineId],
            foreignColumns: [machines.accountId, machines.id],
        }).onDelete('restrict'),
        uniqueIndex('AccessKey_accountId_machineId_sessionId_key').on(t.accountId, t.machineId, t.sessionId),
        // A session's hard delete takes its keys along. On sessionId alone, the planner would take the unique index and read
        // all keys of the account.
        index('AccessKey_sessionId_accountId_idx').on(t.sessionId, t.accountId),
        counterCheck(t.dataVersion),
    ],
);
