import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { time } from '@/db/columns';
import { counterCheck, wordCheck } from '@/db/constraints';
import { accounts } from '@/db/schema/accounts';

/** What a file may be uploaded as. */
export const uploadCategories = ['avatars', 'documents', 'files'] as const;

/** One of `uploadCategories`. */
export type UploadCategory = (typeof uploadCategories)[number];

/**
 * Facts about a stored file; its bytes are in R2 under `accountId/id`, `path` is a logical name (contract 4.7, 13).
 *
 * Name, type, size and category stand here so that a list costs no R2 call; they are null only in rows of a Node server.
 */
export const uploadedFiles = sqliteTable(
    'UploadedFile',
    {
        id: text('id').primaryKey(),
        accountId: text('accountId')
            .notNull()
            .references(() => accounts.id, { onDelete: 'restrict' }),
        path: text('path').notNull(),
        /** Pixels, from the file's header; null for what is no image. */
        width: integer('width'),
        height: integer('height'),
        thumbhash: text('thumbhash'),
        /** The client's own key: an upload under a known one gives back the stored file. */
        reuseKey: text('reuseKey'),
        createdAt: time('createdAt').notNull(),
        updatedAt: time('updatedAt').notNull(),
        category: text('category', { enum: uploadCategories }),
        originalName: text('originalName'),
        /** Sniffed from the bytes, never taken from the client. */
        contentType: text('contentType'),
        /** Bytes. */
        size: integer('size'),
    },
    (t) => [
        uniqueIndex('UploadedFile_accountId_path_key').on(t.accountId, t.path),
        uniqueIndex('UploadedFile_accountId_reuseKey_key')
            .on(t.accountId, t.reuseKey)
            .where(sql`${t.reuseKey} is not null`),
        index('UploadedFile_accountId_createdAt_id_idx').on(t.accountId, t.createdAt, t.id),
        wordCheck(t.category, uploadCategories),
        counterCheck(t.size),
    ],
);
