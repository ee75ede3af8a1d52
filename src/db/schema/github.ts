import { sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { bytes, json, time } from '@/db/columns';

/** GitHub identities that accounts are linked to; `id` is GitHub's number as text (contract 4.6). */
export const githubUsers = sqliteTable('GithubUser', {
    id: text('id').primaryKey(),
    /** What this server shows of the profile; rows of a Node server hold all of it. */
    profile: json<Record<string, unknown>>('profile').notNull(),
    /** OAuth token, encrypted at rest (contract 3.3). */
    token: bytes('token'),
    createdAt: time('createdAt').notNull(),
    updatedAt: time('updatedAt').notNull(),
});

/** GitHub organizations, by GitHub's number as text. */
export const githubOrganizations = sqliteTable('GithubOrganization', {
    id: text('id').primaryKey(),
    profile: json<Record<string, unknown>>('profile').notNull(),
    createdAt: time('createdAt').notNull(),
    updatedAt: time('updatedAt').notNull(),
});
