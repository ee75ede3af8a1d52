import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { bytes, flag, time } from '@/db/columns';
import { counterCheck, flagCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** A machine with a daemon, known by account and id: the same id under two accounts is two machines (contract 4.3). */
export const machines = sqliteTable(
    'Machine',
    {
        id: text('id').notNull(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'restrict' }),
        /** How often this row changed. */
        seq: integer('seq').notNull().default(0),
        /** False until the daemon's first sign of life. */
        active: flag('active').notNull().default(false),
        lastActiveAt: time('lastActiveAt').notNull(),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        dataEncryptionKey: bytes('dataEncryptionKey'),
        metadataVersion: integer('metadataVersion').notNull().default(0),
        daemonStateVersion: integer('daemonStateVersion').notNull().default(0),
        metadata: text('metadata').notNull(),
        daemonState: text('daemonState'),
    },
    (t) => [
        primaryKey({ columns: [t.accountId, t.id] }),
        index('Machine_accountId_lastActiveAt_idx').on(t.accountId, t.lastActiveAt),
        flagCheck(t.active),
        counterCheck(t.seq),
        counterCheck(t.metadataVersion),
        counterCheck(t.daemonStateVersion),
    ],
);
