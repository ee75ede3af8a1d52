import { sql } from 'drizzle-orm';
import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { time } from '@/db/columns';
import { counterCheck } from '@/db/constraints';
import { githubUsers } from '@/db/schema/github';

/**
 * One row per login key (contract 3.2, 4.1, 4.5).
 *
 * `settings` may hold 1 MB and stands last, so that the counters, which every write touches, stay on the row's first page.
 */
export const accounts = sqliteTable(
    'Account',
    {
        id: text('id').primaryKey(),
        /** Ed25519 public key, upper-case hex as the Node server stores it. */
        publicKey: text('publicKey').notNull(),
        /** Number of the account's latest update; taken in the same batch as the write it reports. */
        seq: integer('seq').notNull().default(0),
        /** Counter of the account's latest feed item. */
        feedSeq: integer('feedSeq').notNull().default(0),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        settingsVersion: integer('settingsVersion').notNull().default(0),
        githubUserId: text('githubUserId').references(() => githubUsers.id, { onDelete: 'set null' }),
        firstName: text('firstName'),
        lastName: text('lastName'),
        username: text('username'),
        /** Last logout-all, in Unix seconds like a token's `iat`: tokens with `iat` at or before it are dead. */
        tokensNotBefore: integer('tokensNotBefore').notNull().default(0),
        settings: text('settings'),
    },
    (t) => [
        uniqueIndex('Account_publicKey_key').on(t.publicKey),
        uniqueIndex('Account_githubUserId_key').on(t.githubUserId),
        // Also serves prefix search: `username COLLATE NOCASE` between the prefix and its successor.
        uniqueIndex('Account_username_key').on(sql`${t.username} COLLATE NOCASE`),
        counterCheck(t.seq),
        counterCheck(t.feedSeq),
        counterCheck(t.settingsVersion),
        counterCheck(t.tokensNotBefore),
    ],
);
