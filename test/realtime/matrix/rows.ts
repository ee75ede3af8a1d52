import { expect } from 'vitest';
import { image, uploadForm } from '@test/helpers/files';
import type { Recipient, World } from '@test/realtime/matrix/world';

/** What is told and to whom: the exact body of an update or an ephemeral. */
export interface Told {
    to: Recipient[];
    body: Record<string, unknown>;
}

/** A write of contract 5: by which doors it can be done, and what it tells. */
export interface Row {
    name: string;
    /** The procedure, called at every REST path it has and at the tRPC door. */
    procedure?: string;
    /** Headers of the REST door. */
    headers?: Record<string, string>;
    /** Not at the REST or tRPC door: a difference between them that the contract wants. */
    without?: 'rest' | 'trpc';
    /** Further ways, such as uploads, by their names. */
    other?: Record<string, (world: World, input: Input) => Promise<unknown>>;
    /** The client event that does the same. */
    event?: string;
    /** Its data; the procedure's input if absent. */
    data?(input: Input): Input;
    /** Whether the event's socket is left out. */
    skipsSender?: boolean;
    /** Makes what the write needs; its input. */
    input(world: World): Promise<Input> | Input;
    tells(world: World, input: Input): Told[];
}

export type Input = Record<string, unknown>;

const AnyText = expect.any(String) as unknown;
const AnyNumber = expect.any(Number) as unknown;
const uuid = () => crypto.randomUUID();

const USER: Recipient[] = ['user'];
const USER_AND_SESSION: Recipient[] = ['user', 'session'];
const USER_AND_MACHINE: Recipient[] = ['user', 'machine'];

const stopped = ({ id }: Input): Told[] => [
    { to: USER, body: { type: 'activity', id, sid: id, active: false, activeAt: AnyNumber, thinking: false } },
];

/** The session that all are connected for is kept for the rest: rows that end one make their own. */
async function newSession({ account }: World): Promise<string> {
    return (await account.call('POST', '/v1/sessions', { tag: uuid(), metadata: 'm' })).body.session.id;
}

async function sessionVersions({ account, sid }: World) {
    return (await account.call('GET', `/v1/sessions/${sid}`)).body.session;
}

async function machineVersions({ account, machineId }: World) {
    return (await account.call('GET', `/v1/machines/${machineId}`)).body.machine;
}

async function newArtifact({ account }: World): Promise<Input> {
    const artifact = { id: uuid(), header: 'aGVhZA==', body: 'Ym9keQ==', dataEncryptionKey: 'a2V5' };
    await account.call('POST', '/v1/artifacts', artifact);
    return artifact;
}

/** Brings the two back to knowing nothing of each other, and to feeds that know nothing of requests today. */
async function estrange({ server, account, peer }: World): Promise<void> {
    const ids = [account.id, peer.id];
    await server.env.DB.batch([
        server.env.DB.prepare('DELETE FROM UserRelationship WHERE fromUserId IN (?1, ?2)').bind(...ids),
        server.env.DB.prepare('DELETE FROM UserFeedItem WHERE userId IN (?1, ?2)').bind(...ids),
    ]);
}

function uploadAvatar({ server, account }: World) {
    return uploadForm(
        server,
        account,
        new File([image('png')], 'a.png', { type: 'image/png' }),
        {},
        '/v1/uploads/avatar',
    );
}

async function avatarOf({ account }: World) {
    return (await account.call('GET', '/v1/account')).body.avatar;
}

const sessionRows: Row[] = [
    {
        name: 'a new session',
        procedure: 'sessions.create',
        input: () => ({ tag: uuid(), metadata: 'meta', agentState: 'state', dataEncryptionKey: 'a2V5' }),
        tells: () => [
            {
                to: USER,
                body: {
                    t: 'new-session',
                    id: AnyText,
                    seq: 0,
                    metadata: 'meta',
                    metadataVersion: 1,
                    agentState: 'state',
                    agentStateVersion: 1,
                    dataEncryptionKey: 'a2V5',
                    active: true,
                    activeAt: AnyNumber,
                    createdAt: AnyNumber,
                    updatedAt: AnyNumber,
                },
            },
        ],
    },
    {
        name: 'a session that exists already',
        procedure: 'sessions.create',
        async input({ account }) {
            const session = { tag: uuid(), metadata: 'meta' };
            await account.call('POST', '/v1/sessions', session);
            return session;
        },
        tells: () => [],
    },
    {
        name: 'a stopped session',
        procedure: 'sessions.delete',
        event: 'session-end',
        data: ({ id }) => ({ sid: id, time: Date.now() }),
        input: async (world) => ({ id: await newSession(world) }),
        tells: (_, input) => stopped(input),
    },
    {
        name: 'a session removed by a published client',
        procedure: 'sessions.delete',
        headers: { 'X-Happy-Client': 'cli/1.0' },
        without: 'trpc',
        input: async (world) => ({ id: await newSession(world) }),
        tells: (_, { id }) => [{ to: USER, body: { t: 'delete-session', sid: id } }],
    },
    {
        name: 'an archived session',
        procedure: 'sessions.archive',
        input: async (world) => ({ id: await newSession(world), reason: 'done' }),
        tells: (_, input) => stopped(input),
    },
    {
        name: "a session's new metadata",
        procedure: 'sessions.updateMetadata',
        event: 'update-metadata',
        data: ({ id, ...rest }) => ({ sid: id, ...rest }),
        input: async (world) => ({
            id: world.sid,
            metadata: uuid(),
            expectedVersion: (await sessionVersions(world)).metadataVersion,
        }),
        tells: (_, { id, metadata, expectedVersion }) => [
            {
                to: USER_AND_SESSION,
                body: {
                    t: 'update-session',
                    id,
                    sid: id,
                    metadata: { value: metadata, version: Number(expectedVersion) + 1 },
                },
            },
        ],
    },
    {
        name: 'metadata that lost against other metadata',
        procedure: 'sessions.updateMetadata',
        event: 'update-metadata',
        data: ({ id, ...rest }) => ({ sid: id, ...rest }),
        input: ({ sid }) => ({ id: sid, metadata: 'late', expectedVersion: 0 }),
        tells: () => [],
    },
    {
        name: "a session's new agent state",
        procedure: 'sessions.updateAgentState',
        event: 'update-state',
        data: ({ id, ...rest }) => ({ sid: id, ...rest }),
        input: async (world) => ({
            id: world.sid,
            agentState: null,
            expectedVersion: (await sessionVersions(world)).agentStateVersion,
        }),
        tells: (_, { id, expectedVersion }) => [
            {
                to: USER_AND_SESSION,
                body: {
                    t: 'update-session',
                    id,
                    sid: id,
                    agentState: { value: null, version: Number(expectedVersion) + 1 },
                },
            },
        ],
    },
    {
        name: 'a message',
        procedure: 'messages.create',
        event: 'message',
        skipsSender: true,
        data: ({ id, localId, content }) => ({ sid: id, localId, message: (content as { c: string }).c }),
        input: ({ sid }) => ({ id: sid, localId: uuid(), content: { t: 'encrypted', c: uuid() } }),
        tells: (_, { id, localId, content }) => [{ to: USER_AND_SESSION, body: newMessage(id, localId, content) }],
    },
    {
        name: 'messages',
        procedure: 'messages.append',
        input: ({ sid }) => ({
            sessionId: sid,
            messages: [
                { localId: uuid(), content: 'a' },
                { localId: uuid(), content: 'b' },
            ],
        }),
        tells: (_, { sessionId, messages }) =>
            (messages as { localId: string; content: string }[]).map(({ localId, content }) => ({
                to: USER_AND_SESSION,
                body: newMessage(sessionId, localId, { t: 'encrypted', c: content }),
            })),
    },
    {
        name: 'a notification',
        procedure: 'sessions.pushEvent',
        input: ({ sid }) => ({ id: sid, kind: 'done', title: 'title', body: 'text' }),
        tells: (_, { id, kind, title, body }) => [
            { to: USER, body: { type: 'session-event', sessionId: id, kind, title, body, timestamp: AnyNumber } },
        ],
    },
    {
        name: 'a sign of life of a session',
        event: 'session-alive',
        input: async (world) => ({ sid: await newSession(world), time: Date.now(), thinking: true }),
        tells: (_, { sid }) => [
            { to: USER, body: { type: 'activity', id: sid, sid, active: true, activeAt: AnyNumber, thinking: true } },
        ],
    },
    {
        name: 'a usage report',
        procedure: 'usage.report',
        event: 'usage-report',
        input: ({ sid }) => ({
            key: uuid(),
            sessionId: sid,
            tokens: { total: 3, input: 1, output: 2 },
            cost: { total: 0.5 },
        }),
        tells: (_, { sessionId, key, tokens, cost }) => [
            {
                to: USER,
                body: { type: 'usage', id: sessionId, sid: sessionId, key, tokens, cost, timestamp: AnyNumber },
            },
        ],
    },
];

function newMessage(sid: unknown, localId: unknown, content: unknown) {
    const message = { id: AnyText, seq: AnyNumber, content, localId, createdAt: AnyNumber, updatedAt: AnyNumber };
    return { t: 'new-message', sid, message };
}

const machineRows: Row[] = [
    {
        name: 'a new machine',
        procedure: 'machines.create',
        input: () => ({ id: uuid(), metadata: 'meta' }),
        tells: ({ account }, { id, metadata }) => [
            {
                to: USER,
                body: {
                    t: 'new-machine',
                    machineId: id,
                    id,
                    accountId: account.id,
                    metadata,
                    metadataVersion: 1,
                    daemonState: null,
                    daemonStateVersion: 0,
                    dataEncryptionKey: null,
                    seq: 0,
                    active: false,
                    activeAt: AnyNumber,
                    lastActiveAt: AnyNumber,
                    createdAt: AnyNumber,
                    updatedAt: AnyNumber,
                },
            },
            { to: USER, body: { t: 'update-machine', machineId: id, metadata: { value: metadata, version: 1 } } },
        ],
    },
    {
        name: "a machine's status",
        procedure: 'machines.updateStatus',
        input: ({ machineId }) => ({ id: machineId, active: true, metadata: uuid() }),
        tells: (_, { id, metadata }) => [
            {
                to: USER_AND_MACHINE,
                body: {
                    t: 'update-machine',
                    machineId: id,
                    metadata: { value: metadata, version: AnyNumber },
                    active: true,
                    activeAt: AnyNumber,
                },
            },
        ],
    },
    {
        name: "a machine's new metadata",
        procedure: 'machines.updateMetadata',
        event: 'machine-update-metadata',
        data: ({ id, ...rest }) => ({ machineId: id, ...rest }),
        input: async (world) => ({
            id: world.machineId,
            metadata: uuid(),
            expectedVersion: (await machineVersions(world)).metadataVersion,
        }),
        tells: (_, { id, metadata, expectedVersion }) => [
            {
                to: USER_AND_MACHINE,
                body: {
                    t: 'update-machine',
                    machineId: id,
                    metadata: { value: metadata, version: Number(expectedVersion) + 1 },
                    active: true,
                    activeAt: AnyNumber,
                },
            },
        ],
    },
    {
        name: "a machine's new daemon state",
        procedure: 'machines.updateDaemonState',
        event: 'machine-update-state',
        data: ({ id, ...rest }) => ({ machineId: id, ...rest }),
        input: async (world) => ({
            id: world.machineId,
            daemonState: uuid(),
            expectedVersion: (await machineVersions(world)).daemonStateVersion,
        }),
        tells: (_, { id, daemonState, expectedVersion }) => [
            {
                to: USER_AND_MACHINE,
                body: {
                    t: 'update-machine',
                    machineId: id,
                    daemonState: { value: daemonState, version: Number(expectedVersion) + 1 },
                    active: true,
                    activeAt: AnyNumber,
                },
            },
        ],
    },
    {
        name: 'a deleted machine',
        procedure: 'machines.delete',
        async input({ account }) {
            const id = uuid();
            await account.call('POST', '/v1/machines', { id, metadata: 'm' });
            return { id };
        },
        tells: (_, { id }) => [{ to: USER, body: { t: 'delete-machine', machineId: id } }],
    },
    {
        name: 'a sign of life of a machine',
        event: 'machine-alive',
        async input({ account }) {
            const machineId = uuid();
            await account.call('POST', '/v1/machines', { id: machineId, metadata: 'm' });
            return { machineId, time: Date.now() };
        },
        tells: (_, { machineId }) => [
            {
                to: USER,
                body: { type: 'machine-activity', id: machineId, machineId, active: true, activeAt: AnyNumber },
            },
            { to: USER, body: { type: 'machine-status', machineId, online: true, timestamp: AnyNumber } },
        ],
    },
];

const artifactRows: Row[] = [
    {
        name: 'a new artifact',
        procedure: 'artifacts.create',
        event: 'artifact-create',
        input: () => ({ id: uuid(), header: 'aGVhZA==', body: 'Ym9keQ==', dataEncryptionKey: 'a2V5' }),
        tells: (_, input) => [
            {
                to: USER,
                body: {
                    t: 'new-artifact',
                    artifactId: input.id,
                    ...input,
                    headerVersion: 1,
                    bodyVersion: 1,
                    seq: 0,
                    createdAt: AnyNumber,
                    updatedAt: AnyNumber,
                },
            },
        ],
    },
    {
        name: 'a changed artifact',
        procedure: 'artifacts.update',
        event: 'artifact-update',
        input: async (world) => ({
            id: (await newArtifact(world)).id,
            header: 'bmV3',
            expectedHeaderVersion: 1,
            body: 'bmV3ZXI=',
            expectedBodyVersion: 1,
        }),
        tells: (_, { id, header, body }) => [
            {
                to: USER,
                body: {
                    t: 'update-artifact',
                    artifactId: id,
                    header: { value: header, version: 2 },
                    body: { value: body, version: 2 },
                },
            },
        ],
    },
    {
        name: 'a deleted artifact',
        procedure: 'artifacts.delete',
        event: 'artifact-delete',
        input: async (world) => ({ id: (await newArtifact(world)).id }),
        tells: (_, { id }) => [{ to: USER, body: { t: 'delete-artifact', artifactId: id } }],
    },
];

const accountRows: Row[] = [
    {
        name: 'a changed profile',
        procedure: 'account.updateProfile',
        input: () => ({ firstName: 'Ada', lastName: null, username: `u${uuid().slice(0, 8)}` }),
        tells: ({ account }, { firstName, lastName, username }) => [
            { to: USER, body: { t: 'update-account', id: account.id, firstName, lastName, username } },
        ],
    },
    {
        name: 'changed settings',
        procedure: 'account.updateSettings',
        input: async ({ account }) => ({
            settings: uuid(),
            expectedVersion: (await account.call('GET', '/v1/account/settings')).body.settingsVersion,
        }),
        tells: ({ account }, { settings, expectedVersion }) => [
            {
                to: USER,
                body: {
                    t: 'update-account',
                    id: account.id,
                    settings: { value: settings, version: Number(expectedVersion) + 1 },
                },
            },
        ],
    },
    {
        name: 'changed keys',
        procedure: 'kv.mutate',
        input: () => ({ mutations: [{ key: uuid(), value: 'dmFsdWU=', version: -1 }] }),
        tells: (_, { mutations }) => [
            {
                to: USER,
                body: { t: 'kv-batch-update', changes: [{ ...(mutations as Input[])[0], version: 0 }] },
            },
        ],
    },
    {
        name: 'a new avatar',
        other: {
            'POST /v1/uploads/avatar': uploadAvatar,
        },
        input: () => ({}),
        // Its thumbhash is made later.
        tells: ({ account }) =>
            [null, AnyText].map((thumbhash) => ({
                to: USER,
                body: {
                    t: 'update-account',
                    id: account.id,
                    avatar: { id: AnyText, path: AnyText, url: AnyText, width: 40, height: 24, thumbhash },
                },
            })),
    },
    {
        name: 'a deleted avatar',
        procedure: 'uploads.delete',
        async input(world) {
            await uploadAvatar(world);
            return { id: (await avatarOf(world)).id };
        },
        tells: ({ account }) => [{ to: USER, body: { t: 'update-account', id: account.id, avatar: null } }],
    },
    {
        name: 'a friend request',
        procedure: 'friends.add',
        async input(world) {
            await estrange(world);
            return { uid: world.peer.id };
        },
        tells: ({ account, peer }) => [
            { to: USER, body: related(account.id, peer.id, 'requested', 'created') },
            { to: ['peer'], body: related(peer.id, account.id, 'pending', 'created') },
            { to: ['peer'], body: posted('friend_request', account.id) },
        ],
    },
    {
        name: 'an accepted friend request',
        procedure: 'friends.add',
        async input(world) {
            await estrange(world);
            await world.peer.call('POST', '/v1/friends/add', { uid: world.account.id });
            return { uid: world.peer.id };
        },
        tells: ({ account, peer }) => [
            { to: USER, body: related(account.id, peer.id, 'friend', 'updated') },
            { to: USER, body: posted('friend_accepted', peer.id) },
            { to: ['peer'], body: related(peer.id, account.id, 'friend', 'updated') },
            { to: ['peer'], body: posted('friend_accepted', account.id) },
        ],
    },
    {
        name: 'a friendship that ends',
        procedure: 'friends.remove',
        async input(world) {
            await estrange(world);
            await world.account.call('POST', '/v1/friends/add', { uid: world.peer.id });
            await world.peer.call('POST', '/v1/friends/add', { uid: world.account.id });
            return { uid: world.peer.id };
        },
        tells: ({ account, peer }) => [
            { to: USER, body: related(account.id, peer.id, 'pending', 'updated') },
            { to: ['peer'], body: related(peer.id, account.id, 'requested', 'updated') },
        ],
    },
    {
        name: 'a withdrawn friend request',
        procedure: 'friends.remove',
        async input(world) {
            await estrange(world);
            await world.account.call('POST', '/v1/friends/add', { uid: world.peer.id });
            return { uid: world.peer.id };
        },
        tells: ({ account, peer }) => [
            { to: USER, body: related(account.id, peer.id, 'rejected', 'updated') },
            { to: ['peer'], body: related(peer.id, account.id, 'none', 'deleted') },
        ],
    },
];

function related(fromUserId: string, toUserId: string, status: string, action: string) {
    return { t: 'relationship-updated', uid: toUserId, fromUserId, toUserId, status, action, timestamp: AnyNumber };
}

function posted(kind: string, uid: string) {
    const counters = { cursor: AnyText, counter: AnyNumber, repeatKey: AnyText, createdAt: AnyNumber };
    return { t: 'new-feed-post', id: AnyText, body: { kind, type: kind, uid }, ...counters };
}

/** Every write that tells somebody something. GitHub's two have their own test beside the matrix. */
export const rows: Row[] = [...sessionRows, ...machineRows, ...artifactRows, ...accountRows];

/** Procedures whose write no update tells of; the tests of P6 hold each to telling the hub how far the account is. */
export const QUIET_PROCEDURES = [
    'accessKeys.create',
    'accessKeys.update',
    'connect.disconnect',
    'connect.register',
    'push.delete',
    'push.register',
    'voice.start',
    'voice.token',
] as const;

/** Procedures that nobody is told of anything by; a new procedure belongs here, among the quiet ones or into a row. */
export const SILENT_PROCEDURES = new Set<string>([
    ...QUIET_PROCEDURES,
    'auth.challenge',
    'auth.login',
    'auth.logout',
    'auth.logoutAll',
    'auth.refresh',
    'auth.requestAccount',
    'auth.requestTerminal',
    'auth.respondAccount',
    'auth.respondTerminal',
    'dev.log',
    'kv.bulk',
    'realtime.broadcast',
    'realtime.ticket',
    'sessions.requestAttachmentDownload',
    'sessions.requestAttachmentUpload',
    'usage.query',
    'version.check',
]);

/** Writes that are no procedures: what they tell is in a row as `other`, beside the matrix (GitHub's), or nothing. */
export const BARE_ROUTES = new Set([
    'POST /v1/uploads',
    'POST /v1/uploads/avatar',
    'PUT /v1/uploads/raw',
    'PUT /v1/sessions/:id/attachments/:file',
    'POST /v1/connect/github/webhook',
]);

/** Covered beside the matrix, since an outside service takes part. */
export const ELSEWHERE = new Set(['connect.disconnectGithub']);

/** Client events that write nothing: what they do is tested where they are. */
export const SILENT_EVENTS = new Set([
    'ping',
    'app-state',
    'rpc-register',
    'rpc-unregister',
    'rpc-call',
    'rpc-cancel',
    'request-updates-since',
    'broadcast',
    'artifact-read',
    'access-key-get',
]);
