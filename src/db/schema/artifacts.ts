import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { bytes, time } from '@/db/columns';
import { counterCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** An encrypted document; the client chooses its id (contract 4.4). The body stands last, since lists read headers only. */
export const artifacts = sqliteTable(
    'Artifact',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'restrict' }),
        /** How often this row changed. */
        seq: integer('seq').notNull().default(0),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        dataEncryptionKey: bytes('dataEncryptionKey').notNull(),
        headerVersion: integer('headerVersion').notNull().default(0),
        bodyVersion: integer('bodyVersion').notNull().default(0),
        header: bytes('header').notNull(),
        body: bytes('body').notNull(),
    },
    (t) => [
        index('Artifact_accountId_updatedAt_idx').on(t.accountId, t.updatedAt),
        counterCheck(t.seq),
        counterCheck(t.headerVersion),
        counterCheck(t.bodyVersion),
    ],
);
