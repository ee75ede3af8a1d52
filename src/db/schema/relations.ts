import { relations } from 'drizzle-orm';
import { accessKeys } from '@/db/schema/access-keys';
import { accounts } from '@/db/schema/accounts';
import { artifacts } from '@/db/schema/artifacts';
import { serviceAccountTokens } from '@/db/schema/connect';
import { userFeedItems } from '@/db/schema/feed';
import { userRelationships } from '@/db/schema/friends';
import { githubUsers } from '@/db/schema/github';
import { userKVStores } from '@/db/schema/kv';
import { machines } from '@/db/schema/machines';
import { accountPushTokens } from '@/db/schema/push';
import { sessionMessages, sessions } from '@/db/schema/sessions';
import { uploadedFiles } from '@/db/schema/uploads';
import { usageReports } from '@/db/schema/usage';
import { voiceConversations } from '@/db/schema/voice';

// They stand together because both ends name each other, and schema files import one way only.
// `with: { … }` nests rows as JSON, which holds no BLOB: leave out columns of bytes there (`columns: { … : false }`).

/** What belongs to an account. */
export const accountsRelations = relations(accounts, ({ one, many }) => ({
    githubUser: one(githubUsers, { fields: [accounts.githubUserId], references: [githubUsers.id] }),
    sessions: many(sessions),
    machines: many(machines),
    artifacts: many(artifacts),
    accessKeys: many(accessKeys),
    pushTokens: many(accountPushTokens),
    serviceTokens: many(serviceAccountTokens),
    uploadedFiles: many(uploadedFiles),
    usageReports: many(usageReports),
    feedItems: many(userFeedItems),
    kvEntries: many(userKVStores),
    voiceConversations: many(voiceConversations),
    relationshipsFrom: many(userRelationships, { relationName: 'from' }),
    relationshipsTo: many(userRelationships, { relationName: 'to' }),
}));

/** A session's owner, messages, keys and usage. */
export const sessionsRelations = relations(sessions, ({ one, many }) => ({
    account: one(accounts, { fields: [sessions.accountId], references: [accounts.id] }),
    messages: many(sessionMessages),
    accessKeys: many(accessKeys),
    usageReports: many(usageReports),
}));

/** A message's session. */
export const sessionMessagesRelations = relations(sessionMessages, ({ one }) => ({
    session: one(sessions, { fields: [sessionMessages.sessionId], references: [sessions.id] }),
}));

/** A machine's owner and keys. */
export const machinesRelations = relations(machines, ({ one, many }) => ({
    account: one(accounts, { fields: [machines.accountId], references: [accounts.id] }),
    accessKeys: many(accessKeys),
}));

/** What an access key joins. */
export const accessKeysRelations = relations(accessKeys, ({ one }) => ({
    account: one(accounts, { fields: [accessKeys.accountId], references: [accounts.id] }),
    machine: one(machines, {
        fields: [accessKeys.accountId, accessKeys.machineId],
        references: [machines.accountId, machines.id],
    }),
    session: one(sessions, { fields: [accessKeys.sessionId], references: [sessions.id] }),
}));

/** An artifact's owner. */
export const artifactsRelations = relations(artifacts, ({ one }) => ({
    account: one(accounts, { fields: [artifacts.accountId], references: [accounts.id] }),
}));

/** A push token's owner. */
export const accountPushTokensRelations = relations(accountPushTokens, ({ one }) => ({
    account: one(accounts, { fields: [accountPushTokens.accountId], references: [accounts.id] }),
}));

/** A vendor token's owner. */
export const serviceAccountTokensRelations = relations(serviceAccountTokens, ({ one }) => ({
    account: one(accounts, { fields: [serviceAccountTokens.accountId], references: [accounts.id] }),
}));

/** A file's owner. */
export const uploadedFilesRelations = relations(uploadedFiles, ({ one }) => ({
    account: one(accounts, { fields: [uploadedFiles.accountId], references: [accounts.id] }),
}));

/** Whose usage, and in which session. */
export const usageReportsRelations = relations(usageReports, ({ one }) => ({
    account: one(accounts, { fields: [usageReports.accountId], references: [accounts.id] }),
    session: one(sessions, { fields: [usageReports.sessionId], references: [sessions.id] }),
}));

/** A feed item's reader. */
export const userFeedItemsRelations = relations(userFeedItems, ({ one }) => ({
    user: one(accounts, { fields: [userFeedItems.userId], references: [accounts.id] }),
}));

/** A key's owner. */
export const userKVStoresRelations = relations(userKVStores, ({ one }) => ({
    account: one(accounts, { fields: [userKVStores.accountId], references: [accounts.id] }),
}));

/** A conversation's owner. */
export const voiceConversationsRelations = relations(voiceConversations, ({ one }) => ({
    account: one(accounts, { fields: [voiceConversations.accountId], references: [accounts.id] }),
}));

/** Both sides of a relationship. */
export const userRelationshipsRelations = relations(userRelationships, ({ one }) => ({
    from: one(accounts, { fields: [userRelationships.fromUserId], references: [accounts.id], relationName: 'from' }),
    to: one(accounts, { fields: [userRelationships.toUserId], references: [accounts.id], relationName: 'to' }),
}));

/** The account a GitHub identity is linked to. */
export const githubUsersRelations = relations(githubUsers, ({ many }) => ({
    accounts: many(accounts),
}));
