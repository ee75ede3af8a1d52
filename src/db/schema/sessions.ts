import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { bytes, flag, json, time } from '@/db/columns';
import { counterCheck, flagCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/**
 * A coding session (contract 4.2). The encrypted texts, up to 1.5 MB, stand last: ownership checks read the first page only.
 *
 * An append changes `seq` and `updatedAt`, and every index on these costs a row per message: there is exactly one.
 */
export const sessions = sqliteTable(
    'Session',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'restrict' }),
        tag: text('tag').notNull(),
        /** Number of the session's last message. */
        seq: integer('seq').notNull().default(0),
        active: flag('active').notNull().default(true),
        lastActiveAt: time('lastActiveAt').notNull(),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        /** When it was stopped, and by what; heartbeats within 60 s of it revive nothing, a later one clears it. */
        stoppedAt: time('stoppedAt'),
        stoppedReason: text('stoppedReason'),
        /** Once set, no heartbeat ever revives the session. */
        archivedAt: time('archivedAt'),
        dataEncryptionKey: bytes('dataEncryptionKey'),
        metadataVersion: integer('metadataVersion').notNull().default(0),
        agentStateVersion: integer('agentStateVersion').notNull().default(0),
        metadata: text('metadata').notNull(),
        agentState: text('agentState'),
    },
    (t) => [
        uniqueIndex('Session_accountId_tag_key').on(t.accountId, t.tag),
        index('Session_accountId_updatedAt_idx').on(t.accountId, t.updatedAt),
        index('Session_accountId_createdAt_id_idx').on(t.accountId, t.createdAt, t.id),
        index('Session_accountId_lastActiveAt_active_idx')
            .on(t.accountId, t.lastActiveAt)
            .where(sql`${t.active} = 1`),
        flagCheck(t.active),
        counterCheck(t.seq),
        counterCheck(t.metadataVersion),
        counterCheck(t.agentStateVersion),
    ],
);

/**
 * Messages, stored in the order they are read: the table itself is the (sessionId, seq) index (WITHOUT ROWID, contract 9, 13).
 *
 * `id` has no index on purpose: nothing looks a message up by it, and an index would cost a row per message.
 * Many localIds are looked up by `json_each(?) CROSS JOIN` or `EXISTS`: for an IN list the planner reads the whole session.
 */
export const sessionMessages = sqliteTable(
    'SessionMessage',
    {
        sessionId: text('sessionId')
            .notNull()
            .references(() => sessions.id, { onDelete: 'restrict' }),
        seq: integer('seq').notNull(),
        id: text('id').notNull(),
        /** The sender's own id: what makes an append idempotent (P1). */
        localId: text('localId'),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        content: json<unknown>('content').notNull(),
    },
    (t) => [
        primaryKey({ columns: [t.sessionId, t.seq] }),
        uniqueIndex('SessionMessage_sessionId_localId_key')
            .on(t.sessionId, t.localId)
            .where(sql`${t.localId} is not null`),
        counterCheck(t.seq),
    ],
);
