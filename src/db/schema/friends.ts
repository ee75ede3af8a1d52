import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { time } from '@/db/columns';
import { wordCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** What one account may be to another, seen from `fromUserId` (contract 4.5). */
export const relationshipStatuses = ['none', 'requested', 'pending', 'friend', 'rejected'] as const;

/** One of `relationshipStatuses`. */
export type RelationshipStatus = (typeof relationshipStatuses)[number];

/** How `fromUserId` stands to `toUserId`; each side has a row of its own. WITHOUT ROWID: small rows under their key. */
export const userRelationships = sqliteTable(
    'UserRelationship',
    {
        fromUserId: text('fromUserId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'cascade' }),
        toUserId: text('toUserId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'cascade' }),
        status: text('status', { enum: relationshipStatuses }).notNull().default('pending'),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        acceptedAt: time('acceptedAt'),
        /** Last feed item about this request: at most one in 24 hours. */
        lastNotifiedAt: time('lastNotifiedAt'),
    },
    (t) => [
        primaryKey({ columns: [t.fromUserId, t.toUserId] }),
        index('UserRelationship_toUserId_status_idx').on(t.toUserId, t.status),
        wordCheck(t.status, relationshipStatuses),
    ],
);
