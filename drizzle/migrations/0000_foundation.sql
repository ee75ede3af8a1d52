CREATE TABLE `AccessKey` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`machineId` text NOT NULL,
	`sessionId` text NOT NULL,
	`dataVersion` integer DEFAULT 0 NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`data` text NOT NULL,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE restrict,
	FOREIGN KEY (`sessionId`) REFERENCES `Session`(`id`) ON UPDATE no action ON DELETE restrict,
	FOREIGN KEY (`accountId`,`machineId`) REFERENCES `Machine`(`accountId`,`id`) ON UPDATE no action ON DELETE restrict,
	CONSTRAINT "AccessKey_dataVersion_counter" CHECK("dataVersion" >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `AccessKey_accountId_machineId_sessionId_key` ON `AccessKey` (`accountId`,`machineId`,`sessionId`);--> statement-breakpoint
CREATE INDEX `AccessKey_sessionId_accountId_idx` ON `AccessKey` (`sessionId`,`accountId`);--> statement-breakpoint
CREATE TABLE `Account` (
	`id` text PRIMARY KEY NOT NULL,
	`publicKey` text NOT NULL,
	`seq` integer DEFAULT 0 NOT NULL,
	`feedSeq` integer DEFAULT 0 NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`settingsVersion` integer DEFAULT 0 NOT NULL,
	`githubUserId` text,
	`firstName` text,
	`lastName` text,
	`username` text,
	`tokensNotBefore` integer DEFAULT 0 NOT NULL,
	`settings` text,
	FOREIGN KEY (`githubUserId`) REFERENCES `GithubUser`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "Account_seq_counter" CHECK("seq" >= 0),
	CONSTRAINT "Account_feedSeq_counter" CHECK("feedSeq" >= 0),
	CONSTRAINT "Account_settingsVersion_counter" CHECK("settingsVersion" >= 0),
	CONSTRAINT "Account_tokensNotBefore_counter" CHECK("tokensNotBefore" >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `Account_publicKey_key` ON `Account` (`publicKey`);--> statement-breakpoint
CREATE UNIQUE INDEX `Account_githubUserId_key` ON `Account` (`githubUserId`);--> statement-breakpoint
CREATE UNIQUE INDEX `Account_username_key` ON `Account` ("username" COLLATE NOCASE);--> statement-breakpoint
CREATE TABLE `Artifact` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`seq` integer DEFAULT 0 NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`dataEncryptionKey` blob NOT NULL,
	`headerVersion` integer DEFAULT 0 NOT NULL,
	`bodyVersion` integer DEFAULT 0 NOT NULL,
	`header` blob NOT NULL,
	`body` blob NOT NULL,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE restrict,
	CONSTRAINT "Artifact_seq_counter" CHECK("seq" >= 0),
	CONSTRAINT "Artifact_headerVersion_counter" CHECK("headerVersion" >= 0),
	CONSTRAINT "Artifact_bodyVersion_counter" CHECK("bodyVersion" >= 0)
);
--> statement-breakpoint
CREATE INDEX `Artifact_accountId_updatedAt_idx` ON `Artifact` (`accountId`,`updatedAt`);--> statement-breakpoint
CREATE TABLE `AccountAuthRequest` (
	`id` text PRIMARY KEY NOT NULL,
	`publicKey` text NOT NULL,
	`response` text,
	`responseAccountId` text,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`handedOutAt` integer,
	FOREIGN KEY (`responseAccountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `AccountAuthRequest_publicKey_key` ON `AccountAuthRequest` (`publicKey`);--> statement-breakpoint
CREATE INDEX `AccountAuthRequest_createdAt_idx` ON `AccountAuthRequest` (`createdAt`);--> statement-breakpoint
CREATE TABLE `RevokedToken` (
	`jti` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`revokedAt` integer NOT NULL,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `TerminalAuthRequest` (
	`id` text PRIMARY KEY NOT NULL,
	`publicKey` text NOT NULL,
	`supportsV2` integer DEFAULT false NOT NULL,
	`response` text,
	`responseAccountId` text,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`handedOutAt` integer,
	FOREIGN KEY (`responseAccountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "TerminalAuthRequest_supportsV2_flag" CHECK("supportsV2" in (0, 1))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `TerminalAuthRequest_publicKey_key` ON `TerminalAuthRequest` (`publicKey`);--> statement-breakpoint
CREATE INDEX `TerminalAuthRequest_createdAt_idx` ON `TerminalAuthRequest` (`createdAt`);--> statement-breakpoint
CREATE TABLE `UsedChallenge` (
	`hash` text PRIMARY KEY NOT NULL,
	`usedAt` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `ServiceAccountToken` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`vendor` text NOT NULL,
	`token` blob NOT NULL,
	`metadata` text,
	`lastUsedAt` integer,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ServiceAccountToken_accountId_vendor_key` ON `ServiceAccountToken` (`accountId`,`vendor`);--> statement-breakpoint
CREATE TABLE `UserFeedItem` (
	`id` text PRIMARY KEY NOT NULL,
	`userId` text NOT NULL,
	`counter` integer NOT NULL,
	`repeatKey` text,
	`body` text NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	FOREIGN KEY (`userId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "UserFeedItem_counter_counter" CHECK("counter" >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `UserFeedItem_userId_counter_key` ON `UserFeedItem` (`userId`,`counter`);--> statement-breakpoint
CREATE UNIQUE INDEX `UserFeedItem_userId_repeatKey_key` ON `UserFeedItem` (`userId`,`repeatKey`);--> statement-breakpoint
CREATE TABLE `UserRelationship` (
	`fromUserId` text NOT NULL,
	`toUserId` text NOT NULL,
	`status` text DEFAULT 'pending' NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`acceptedAt` integer,
	`lastNotifiedAt` integer,
	PRIMARY KEY(`fromUserId`, `toUserId`),
	FOREIGN KEY (`fromUserId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`toUserId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "UserRelationship_status_word" CHECK("status" in ('none', 'requested', 'pending', 'friend', 'rejected'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `UserRelationship_toUserId_status_idx` ON `UserRelationship` (`toUserId`,`status`);--> statement-breakpoint
CREATE TABLE `GithubOrganization` (
	`id` text PRIMARY KEY NOT NULL,
	`profile` text NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `GithubUser` (
	`id` text PRIMARY KEY NOT NULL,
	`profile` text NOT NULL,
	`token` blob,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `UserKVStore` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`key` text NOT NULL,
	`version` integer DEFAULT 0 NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`value` blob,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "UserKVStore_version_counter" CHECK("version" >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `UserKVStore_accountId_key_key` ON `UserKVStore` (`accountId`,`key`);--> statement-breakpoint
CREATE TABLE `Machine` (
	`id` text NOT NULL,
	`accountId` text NOT NULL,
	`seq` integer DEFAULT 0 NOT NULL,
	`active` integer DEFAULT false NOT NULL,
	`lastActiveAt` integer NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`dataEncryptionKey` blob,
	`metadataVersion` integer DEFAULT 0 NOT NULL,
	`daemonStateVersion` integer DEFAULT 0 NOT NULL,
	`metadata` text NOT NULL,
	`daemonState` text,
	PRIMARY KEY(`accountId`, `id`),
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE restrict,
	CONSTRAINT "Machine_active_flag" CHECK("active" in (0, 1)),
	CONSTRAINT "Machine_seq_counter" CHECK("seq" >= 0),
	CONSTRAINT "Machine_metadataVersion_counter" CHECK("metadataVersion" >= 0),
	CONSTRAINT "Machine_daemonStateVersion_counter" CHECK("daemonStateVersion" >= 0)
);
--> statement-breakpoint
CREATE INDEX `Machine_accountId_lastActiveAt_idx` ON `Machine` (`accountId`,`lastActiveAt`);--> statement-breakpoint
CREATE TABLE `AccountPushToken` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`token` text NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE restrict
);
--> statement-breakpoint
CREATE UNIQUE INDEX `AccountPushToken_accountId_token_key` ON `AccountPushToken` (`accountId`,`token`);--> statement-breakpoint
CREATE TABLE `PushTicket` (
	`accountId` text NOT NULL,
	`createdAt` integer NOT NULL,
	`id` text NOT NULL,
	`token` text NOT NULL,
	PRIMARY KEY(`accountId`, `createdAt`, `id`),
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `PushTicket_createdAt_idx` ON `PushTicket` (`createdAt`);--> statement-breakpoint
CREATE TABLE `SessionMessage` (
	`sessionId` text NOT NULL,
	`seq` integer NOT NULL,
	`id` text NOT NULL,
	`localId` text,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`content` text NOT NULL,
	PRIMARY KEY(`sessionId`, `seq`),
	FOREIGN KEY (`sessionId`) REFERENCES `Session`(`id`) ON UPDATE no action ON DELETE restrict,
	CONSTRAINT "SessionMessage_seq_counter" CHECK("seq" >= 0)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `SessionMessage_sessionId_localId_key` ON `SessionMessage` (`sessionId`,`localId`) WHERE "SessionMessage"."localId" is not null;--> statement-breakpoint
CREATE TABLE `Session` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`tag` text NOT NULL,
	`seq` integer DEFAULT 0 NOT NULL,
	`active` integer DEFAULT true NOT NULL,
	`lastActiveAt` integer NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`stoppedAt` integer,
	`stoppedReason` text,
	`archivedAt` integer,
	`dataEncryptionKey` blob,
	`metadataVersion` integer DEFAULT 0 NOT NULL,
	`agentStateVersion` integer DEFAULT 0 NOT NULL,
	`metadata` text NOT NULL,
	`agentState` text,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE restrict,
	CONSTRAINT "Session_active_flag" CHECK("active" in (0, 1)),
	CONSTRAINT "Session_seq_counter" CHECK("seq" >= 0),
	CONSTRAINT "Session_metadataVersion_counter" CHECK("metadataVersion" >= 0),
	CONSTRAINT "Session_agentStateVersion_counter" CHECK("agentStateVersion" >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `Session_accountId_tag_key` ON `Session` (`accountId`,`tag`);--> statement-breakpoint
CREATE INDEX `Session_accountId_updatedAt_idx` ON `Session` (`accountId`,`updatedAt`);--> statement-breakpoint
CREATE INDEX `Session_accountId_createdAt_id_idx` ON `Session` (`accountId`,`createdAt`,`id`);--> statement-breakpoint
CREATE INDEX `Session_accountId_lastActiveAt_active_idx` ON `Session` (`accountId`,`lastActiveAt`) WHERE "Session"."active" = 1;--> statement-breakpoint
CREATE TABLE `GlobalLock` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`expiresAt` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `RepeatKey` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`createdAt` integer NOT NULL,
	`expiresAt` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `RepeatKey_expiresAt_idx` ON `RepeatKey` (`expiresAt`);--> statement-breakpoint
CREATE TABLE `SimpleCache` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `UploadedFile` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`path` text NOT NULL,
	`width` integer,
	`height` integer,
	`thumbhash` text,
	`reuseKey` text,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	`category` text,
	`originalName` text,
	`contentType` text,
	`size` integer,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE restrict,
	CONSTRAINT "UploadedFile_category_word" CHECK("category" in ('avatars', 'documents', 'files')),
	CONSTRAINT "UploadedFile_size_counter" CHECK("size" >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `UploadedFile_accountId_path_key` ON `UploadedFile` (`accountId`,`path`);--> statement-breakpoint
CREATE UNIQUE INDEX `UploadedFile_accountId_reuseKey_key` ON `UploadedFile` (`accountId`,`reuseKey`) WHERE "UploadedFile"."reuseKey" is not null;--> statement-breakpoint
CREATE INDEX `UploadedFile_accountId_createdAt_id_idx` ON `UploadedFile` (`accountId`,`createdAt`,`id`);--> statement-breakpoint
CREATE TABLE `UsageReport` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`accountId` text NOT NULL,
	`sessionId` text,
	`data` text NOT NULL,
	`createdAt` integer NOT NULL,
	`updatedAt` integer NOT NULL,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE restrict,
	FOREIGN KEY (`sessionId`) REFERENCES `Session`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `UsageReport_accountId_sessionId_key_key` ON `UsageReport` (`accountId`,`sessionId`,`key`);--> statement-breakpoint
CREATE UNIQUE INDEX `UsageReport_accountId_key_key` ON `UsageReport` (`accountId`,`key`) WHERE "UsageReport"."sessionId" is null;--> statement-breakpoint
CREATE INDEX `UsageReport_accountId_createdAt_idx` ON `UsageReport` (`accountId`,`createdAt`);--> statement-breakpoint
CREATE INDEX `UsageReport_sessionId_createdAt_idx` ON `UsageReport` (`sessionId`,`createdAt`);--> statement-breakpoint
CREATE TABLE `VoiceConversation` (
	`id` text PRIMARY KEY NOT NULL,
	`accountId` text NOT NULL,
	`agentId` text NOT NULL,
	`startedAt` integer NOT NULL,
	`endedAt` integer,
	`usedSeconds` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`accountId`) REFERENCES `Account`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "VoiceConversation_usedSeconds_counter" CHECK("usedSeconds" >= 0)
);
--> statement-breakpoint
CREATE INDEX `VoiceConversation_accountId_startedAt_idx` ON `VoiceConversation` (`accountId`,`startedAt`);