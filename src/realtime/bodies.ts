/**
 * What updates and ephemerals say, by kind (contract 5): services are held to it when they announce, and clients get the
 * same types. Where an event tells of an object, its fields are that object's.
 */
import type { RelationshipStatus } from '@/db/schema/friends';
import type { Avatar, GitHub } from '@/routers/account/schema';
import type { Artifact } from '@/routers/artifacts/schema';
import type { FeedItem } from '@/routers/feed/schema';
import type { Machine } from '@/routers/machines/schema';
import type { Message } from '@/routers/messages/schema';
import type { PushEventInput } from '@/routers/sessions/push-event-schema';
import type { Session } from '@/routers/sessions/schema';
import type { ReportUsageInput } from '@/routers/usage/schema';

/** A value that changed, and the version to name when it is changed next. */
interface Versioned<Value> {
    value: Value;
    version: number;
}

interface NewSession extends Omit<Session, 'lastMessage'> {
    t: 'new-session';
}

interface UpdateSession {
    t: 'update-session';
    id: string;
    /** The same as `id`. */
    sid: string;
    metadata?: Versioned<string>;
    agentState?: Versioned<string | null>;
}

interface DeleteSession {
    t: 'delete-session';
    sid: string;
}

interface NewMessage {
    t: 'new-message';
    sid: string;
    message: Omit<Message, 'sessionId'>;
}

interface NewMachine extends Machine {
    t: 'new-machine';
    /** The same as `id`. */
    machineId: string;
}

interface UpdateMachine {
    t: 'update-machine';
    machineId: string;
    metadata?: Versioned<string>;
    daemonState?: Versioned<string | null>;
    active?: boolean;
    /** Unix ms. */
    activeAt?: number;
}

interface DeleteMachine {
    t: 'delete-machine';
    machineId: string;
}

interface NewArtifact extends Artifact {
    t: 'new-artifact';
    /** The same as `id`. */
    artifactId: string;
}

interface UpdateArtifact {
    t: 'update-artifact';
    artifactId: string;
    /** Base64. */
    header?: Versioned<string>;
    /** Base64. */
    body?: Versioned<string>;
}

interface DeleteArtifact {
    t: 'delete-artifact';
    artifactId: string;
}

/** The fields that changed; null for what is no longer there. */
interface UpdateAccount {
    t: 'update-account';
    id: string;
    settings?: Versioned<string | null>;
    github?: GitHub | null;
    firstName?: string | null;
    lastName?: string | null;
    username?: string | null;
    avatar?: Avatar | null;
}

interface KvBatchUpdate {
    t: 'kv-batch-update';
    /** `value` is base64, null for a key that was deleted. */
    changes: { key: string; value: string | null; version: number }[];
}

interface RelationshipUpdated {
    t: 'relationship-updated';
    /** The other account. */
    uid: string;
    fromUserId: string;
    toUserId: string;
    status: RelationshipStatus;
    action: 'created' | 'updated' | 'deleted';
    /** Unix ms. */
    timestamp: number;
}

interface NewFeedPost extends FeedItem {
    t: 'new-feed-post';
    counter: number;
}

/** What an update says: its kind `t` and that kind's fields. */
export type UpdateBody =
    | NewSession
    | UpdateSession
    | DeleteSession
    | NewMessage
    | NewMachine
    | UpdateMachine
    | DeleteMachine
    | NewArtifact
    | UpdateArtifact
    | DeleteArtifact
    | UpdateAccount
    | KvBatchUpdate
    | RelationshipUpdated
    | NewFeedPost;

interface Activity {
    type: 'activity';
    id: string;
    /** The same as `id`. */
    sid: string;
    active: boolean;
    /** Unix ms. */
    activeAt: number;
    thinking: boolean;
}

interface MachineActivity {
    type: 'machine-activity';
    id: string;
    /** The same as `id`. */
    machineId: string;
    active: boolean;
    /** Unix ms. */
    activeAt: number;
}

interface MachineStatus {
    type: 'machine-status';
    machineId: string;
    online: boolean;
    /** Unix ms. */
    timestamp: number;
}

interface Usage extends Pick<ReportUsageInput, 'key' | 'tokens' | 'cost'> {
    type: 'usage';
    id: string;
    /** The same as `id`. */
    sid: string;
    /** Unix ms. */
    timestamp: number;
}

interface SessionEvent extends Pick<PushEventInput, 'kind' | 'title' | 'body'> {
    type: 'session-event';
    sessionId: string;
    /** Unix ms. */
    timestamp: number;
}

/** A tRPC subscription begins here (contract 8). */
interface Connected {
    type: 'connected';
    seq: number;
}

/** An event that is not numbered and not kept: presence, usage, notices; `type` is its kind. */
export type Ephemeral = Activity | MachineActivity | MachineStatus | Usage | SessionEvent | Connected;
