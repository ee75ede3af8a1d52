import { index, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { flag, time } from '@/db/columns';
import { flagCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** A terminal that asks to be paired, by its X25519 public key in upper-case hex (contract 4.1). */
export const terminalAuthRequests = sqliteTable(
    'TerminalAuthRequest',
    {
        id: text('id').primaryKey(),
        publicKey: text('publicKey').notNull(),
        supportsV2: flag('supportsV2').notNull().default(false),
        /** Encrypted answer of the account that accepted. */
        response: text('response'),
        responseAccountId: text('responseAccountId').references(() => accounts.id, { onDelete: 'set null' }),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        /** First hand-out of the token; two minutes later the request is gone. */
        handedOutAt: time('handedOutAt'),
    },
    (t) => [
        uniqueIndex('TerminalAuthRequest_publicKey_key').on(t.publicKey),
        index('TerminalAuthRequest_createdAt_idx').on(t.createdAt),
        flagCheck(t.supportsV2),
    ],
);

/** A device that asks for an account's secret; like a terminal's request, without versions. */
export const accountAuthRequests = sqliteTable(
    'AccountAuthRequest',
    {
        id: text('id').primaryKey(),
        publicKey: text('publicKey').notNull(),
        response: text('response'),
        responseAccountId: text('responseAccountId').references(() => accounts.id, { onDelete: 'set null' }),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        /** First hand-out of the token; two minutes later the request is gone. */
        handedOutAt: time('handedOutAt'),
    },
    (t) => [
        uniqueIndex('AccountAuthRequest_publicKey_key').on(t.publicKey),
        index('AccountAuthRequest_createdAt_idx').on(t.createdAt),
    ],
);

/** Tokens ended by logout, by `jti`. WITHOUT ROWID: the key is the row. */
export const revokedTokens = sqliteTable('RevokedToken', {
    jti: text('jti').primaryKey(),
    accountId: text('accountId')
        .notNull()
        .references(() => accounts.id, { onDelete: 'cascade' }),
    revokedAt: time('revokedAt').notNull(),
});

/** Spent login challenges, by the hash of public key and challenge; kept for good (contract 13). WITHOUT ROWID. */
export const usedChallenges = sqliteTable('UsedChallenge', {
    hash: text('hash').primaryKey(),
    usedAt: time('usedAt').notNull(),
});
