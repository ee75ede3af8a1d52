import type { AcceptedDifference } from '@/db/compare';

const coveredByOther = (table: string): AcceptedDifference => ({
    table,
    lines: ['- index (accountId)'],
    reason: 'Another index starts with accountId and serves the same queries; one less row to write.',
});

/** Where this schema differs from the Node server's on purpose (contract 9); `compareSchemas` finds anything else. */
export const acceptedDifferences: AcceptedDifference[] = [
    {
        table: 'Account',
        lines: ['- column avatar: json null'],
        reason: 'Avatars are uploaded files under the reuse key profile-avatar; the account row holds none.',
    },
    {
        table: 'Account',
        lines: ['- unique (username)', '+ unique (username COLLATE NOCASE)'],
        reason: 'Names are unique without case, and prefix search needs the same order.',
    },
    {
        table: 'Account',
        lines: ['+ column tokensNotBefore: integer not null default 0'],
        reason: 'Logout-all ends every token issued up to then; the Node server cannot revoke.',
    },
    {
        table: 'TerminalAuthRequest',
        lines: ['+ column handedOutAt: integer null', '+ index (createdAt)'],
        reason: 'A request ends two minutes after its token was first handed out; old ones are swept by age.',
    },
    {
        table: 'AccountAuthRequest',
        lines: ['+ column handedOutAt: integer null', '+ index (createdAt)'],
        reason: 'As for terminals.',
    },
    {
        table: 'Session',
        lines: [
            '+ column stoppedAt: integer null',
            '+ column stoppedReason: text null',
            '+ column archivedAt: integer null',
        ],
        reason: 'Stopping and archiving are states of their own, which heartbeats must not undo.',
    },
    {
        table: 'Session',
        lines: ['+ index (accountId, createdAt, id)', '+ index (accountId, lastActiveAt) where active = 1'],
        reason: 'Serve the paged list and the list of active sessions; neither changes when a message is appended.',
    },
    {
        table: 'SessionMessage',
        lines: ['- primary key (id)', '- index (sessionId, seq)', '+ primary key (sessionId, seq)'],
        reason: 'The table is stored in the order it is read, and two messages cannot share a number. Nothing asks by id.',
    },
    {
        table: 'SessionMessage',
        lines: ['- unique (sessionId, localId)', '+ unique (sessionId, localId) where localId is not null'],
        reason: 'The same rule, since NULLs never collide; a message without a localId costs no index row.',
    },
    {
        table: 'UsageReport',
        lines: ['+ unique (accountId, key) where sessionId is null'],
        reason: 'NULLs never collide: without it every report that names no session would be a new row.',
    },
    {
        table: 'UsageReport',
        lines: [
            '- index (accountId)',
            '- index (sessionId)',
            '+ index (accountId, createdAt)',
            '+ index (sessionId, createdAt)',
        ],
        reason: 'Usage is asked for by time, of an account or a session; the longer indexes serve what the shorter did.',
    },
    {
        table: 'Machine',
        lines: [
            '- primary key (id)',
            '- unique (accountId, id)',
            '- index (accountId)',
            '+ primary key (accountId, id)',
            '+ index (accountId, lastActiveAt)',
        ],
        reason: 'The same id under two accounts is two machines; lists are ordered by last activity.',
    },
    {
        table: 'Machine',
        lines: ['- column active: boolean not null default true', '+ column active: boolean not null default false'],
        reason: 'A machine that was only registered has shown no sign of life.',
    },
    coveredByOther('UploadedFile'),
    {
        table: 'UploadedFile',
        lines: [
            '+ column category: one of avatars|documents|files null',
            '+ column originalName: text null',
            '+ column contentType: text null',
            '+ column size: integer null',
            '+ index (accountId, createdAt, id)',
        ],
        reason: 'Lists show these facts, newest first, without one R2 call per file. Null in rows of a Node server.',
    },
    {
        table: 'UploadedFile',
        lines: ['+ unique (accountId, reuseKey) where reuseKey is not null'],
        reason: 'Two uploads at once under one reuse key must not both be stored.',
    },
    coveredByOther('ServiceAccountToken'),
    coveredByOther('Artifact'),
    coveredByOther('AccessKey'),
    {
        table: 'AccessKey',
        lines: ['- index (sessionId)', '+ index (sessionId, accountId)'],
        reason: 'A delete names session and account; on sessionId alone the planner reads all keys of the account.',
    },
    {
        table: 'AccessKey',
        lines: ['- index (machineId)'],
        reason: 'A machine is named by account and id, and the unique index starts with these.',
    },
    {
        table: 'UserRelationship',
        lines: ['- index (fromUserId, status)'],
        reason: 'The table is stored by (fromUserId, toUserId): the rows of one user stand together already.',
    },
    {
        table: 'UserFeedItem',
        lines: ['- index (userId, counter)'],
        reason: 'The unique index on the same columns is one.',
    },
    coveredByOther('UserKVStore'),
    {
        table: 'RepeatKey',
        lines: ['+ index (expiresAt)'],
        reason: 'The nightly sweep finds what has run out.',
    },
    {
        table: 'PushTicket',
        lines: ['+ table'],
        reason: 'Expo tells minutes later which devices are gone; the Node server never asks.',
    },
    {
        table: 'RevokedToken',
        lines: ['+ table'],
        reason: 'Logout: the Node server cannot revoke a token.',
    },
    {
        table: 'UsedChallenge',
        lines: ['+ table'],
        reason: 'A signed login challenge works once.',
    },
    {
        table: 'VoiceConversation',
        lines: ['+ table'],
        reason: 'Voice limits are counted here, not taken from the client.',
    },
];
