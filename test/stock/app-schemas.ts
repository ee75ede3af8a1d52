import * as z from 'zod';

/** What the mobile and web app insists on, by what it is seen to drop or refuse otherwise; fields it ignores are free. */
const versioned = z.object({ version: z.number(), value: z.string() });
const Image = z.object({
    width: z.number(),
    height: z.number(),
    thumbhash: z.string(),
    path: z.string(),
    url: z.string(),
});
const GitHub = z.object({
    id: z.number(),
    login: z.string(),
    name: z.string(),
    avatar_url: z.string(),
    email: z.string().nullable(),
    bio: z.string().nullable(),
});

/** GET /v1/account/profile: without it the app logs nobody in. */
export const AppProfile = z.object({
    id: z.string(),
    timestamp: z.number(),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    avatar: Image.nullable(),
    github: GitHub.nullable(),
    connectedServices: z.array(z.string()),
});

/** Somebody else, in searches and lists of friends. */
export const AppUser = z.object({
    id: z.string(),
    firstName: z.string(),
    lastName: z.string().nullable(),
    avatar: Image.partial({ width: true, height: true, thumbhash: true }).nullable(),
    username: z.string(),
    bio: z.string().nullable(),
    status: z.enum(['none', 'requested', 'pending', 'friend', 'rejected']),
});

/** An item of GET /v1/sessions. */
export const AppSession = z.object({
    id: z.string(),
    seq: z.number(),
    metadata: z.string(),
    metadataVersion: z.number(),
    agentState: z.string().nullable(),
    agentStateVersion: z.number(),
    dataEncryptionKey: z.string().nullable(),
    active: z.boolean(),
    activeAt: z.number(),
    createdAt: z.number(),
    updatedAt: z.number(),
    lastMessage: z.null(),
});

/** An item of GET /v1/machines. */
export const AppMachine = z.object({
    id: z.string(),
    seq: z.number(),
    metadata: z.string(),
    metadataVersion: z.number(),
    daemonState: z.string().nullable(),
    daemonStateVersion: z.number(),
    dataEncryptionKey: z.string().nullable(),
    active: z.boolean(),
    activeAt: z.number(),
    createdAt: z.number(),
    updatedAt: z.number(),
});

/** An item of GET /v1/artifacts. */
export const AppArtifact = z.object({
    id: z.string(),
    header: z.string(),
    headerVersion: z.number(),
    dataEncryptionKey: z.string(),
    seq: z.number(),
    createdAt: z.number(),
    updatedAt: z.number(),
});

/** GET and POST /v1/artifacts/:id: flat, where the documented shape has it below `artifact`. */
export const AppFullArtifact = AppArtifact.extend({ body: z.string(), bodyVersion: z.number() });

/** What POST /v3/sessions/:id/messages tells of each message. */
export const AppSentMessage = z.strictObject({
    id: z.string(),
    seq: z.number(),
    localId: z.string().nullable(),
    createdAt: z.number(),
    updatedAt: z.number(),
});

const FeedBody = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('friend_request'), uid: z.string() }),
    z.object({ kind: z.literal('friend_accepted'), uid: z.string() }),
    z.object({ kind: z.literal('text'), text: z.string() }),
]);

/** A feed item; the app takes the number from its cursor's third character on. */
export const AppFeedItem = z.object({
    id: z.string(),
    body: FeedBody,
    repeatKey: z.string().nullable(),
    cursor: z.string().regex(/^0-\d+$/),
    createdAt: z.number(),
});

const SessionBody = z.object({
    t: z.literal('new-session'),
    id: z.string(),
    seq: z.number(),
    metadata: z.string(),
    metadataVersion: z.number(),
    agentState: z.string().nullable(),
    agentStateVersion: z.number(),
    dataEncryptionKey: z.string().nullable(),
    active: z.boolean(),
    activeAt: z.number(),
    createdAt: z.number(),
    updatedAt: z.number(),
});

/** Updates that `@slopus/happy-wire` has no schema for. */
export const AppUpdateBody = z.discriminatedUnion('t', [
    SessionBody,
    z.object({ t: z.literal('delete-session'), sid: z.string() }),
    z.object({
        t: z.literal('update-account'),
        id: z.string(),
        settings: z.object({ value: z.string().nullish(), version: z.number() }).nullish(),
        firstName: z.string().nullish(),
        lastName: z.string().nullish(),
        avatar: Image.nullish(),
        github: GitHub.nullish(),
    }),
    z.object({
        t: z.literal('new-machine'),
        machineId: z.string(),
        seq: z.number(),
        metadata: z.string(),
        metadataVersion: z.number(),
        daemonState: z.string().nullable(),
        daemonStateVersion: z.number(),
        dataEncryptionKey: z.string().nullish(),
        active: z.boolean(),
        activeAt: z.number(),
        createdAt: z.number(),
        updatedAt: z.number(),
    }),
    z.object({ t: z.literal('delete-machine'), machineId: z.string() }),
    z.object({
        t: z.literal('new-artifact'),
        artifactId: z.string(),
        header: z.string(),
        headerVersion: z.number(),
        body: z.string().optional(),
        bodyVersion: z.number().optional(),
        dataEncryptionKey: z.string(),
        seq: z.number(),
        createdAt: z.number(),
        updatedAt: z.number(),
    }),
    z.object({
        t: z.literal('update-artifact'),
        artifactId: z.string(),
        header: versioned.optional(),
        body: versioned.optional(),
    }),
    z.object({ t: z.literal('delete-artifact'), artifactId: z.string() }),
    z.object({
        t: z.literal('relationship-updated'),
        uid: z.string(),
        fromUserId: z.string(),
        toUserId: z.string(),
        status: z.enum(['none', 'requested', 'pending', 'friend', 'rejected']),
        action: z.enum(['created', 'updated', 'deleted']),
        timestamp: z.number(),
    }),
    AppFeedItem.extend({ t: z.literal('new-feed-post') }),
    z.object({
        t: z.literal('kv-batch-update'),
        changes: z.array(z.object({ key: z.string(), value: z.string().nullable(), version: z.number() })),
    }),
]);

/** Ephemerals, all fields present. */
export const AppEphemeral = z.discriminatedUnion('type', [
    z.object({
        type: z.literal('activity'),
        id: z.string(),
        active: z.boolean(),
        activeAt: z.number(),
        thinking: z.boolean(),
    }),
    z.object({ type: z.literal('machine-activity'), id: z.string(), active: z.boolean(), activeAt: z.number() }),
    z.object({ type: z.literal('machine-status'), machineId: z.string(), online: z.boolean(), timestamp: z.number() }),
    z.object({
        type: z.literal('usage'),
        id: z.string(),
        key: z.string(),
        timestamp: z.number(),
        tokens: z.object({
            total: z.number(),
            input: z.number(),
            output: z.number(),
            cache_creation: z.number(),
            cache_read: z.number(),
        }),
        cost: z.object({ total: z.number(), input: z.number(), output: z.number() }),
    }),
    z.object({
        type: z.literal('session-event'),
        sessionId: z.string(),
        kind: z.enum(['done', 'permission', 'question']),
        title: z.string(),
        body: z.string(),
        timestamp: z.number(),
    }),
]);
