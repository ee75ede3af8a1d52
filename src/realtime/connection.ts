import type { Actor } from '@/auth/auth';
import type { Subscription } from '@/realtime/subscriptions';

/** The client types of contract 6; each says which events a socket gets. */
export const CLIENT_TYPES = ['user-scoped', 'session-scoped', 'machine-scoped'] as const;
export type ClientType = (typeof CLIENT_TYPES)[number];

/** Which wire a socket speaks; `sse` is what the Worker reads to go on as an event stream. */
export type Wire = 'native' | 'sse' | 'socket.io' | 'trpc';

/**
 * The ping text that the runtime answers without waking the hub. An object has one such pair, so the other spelling,
 * `{"type":"ping"}`, wakes it to be answered.
 */
export const NATIVE_PING = '{"event":"ping"}';

/** Close codes of the source document and contract 6. */
export const CLOSE = {
    goingAway: 1001,
    policyViolation: 1008,
    unsupportedData: 1003,
    authFailed: 4001,
    invalidHandshake: 4002,
    missingSessionId: 4003,
    missingMachineId: 4004,
    connectionLimit: 4005,
    tokenRevoked: 4006,
    messageTooLarge: 4008,
    serviceRestart: 1012,
    tryAgainLater: 1013,
} as const;

/** Most sockets of an account, hub and gateways together. */
export const MAX_CONNECTIONS = 100;

/**
 * An authenticated socket. Kept in the socket's attachment, so it must stay below 16 KiB, and since attachments outlive
 * deployments, `v` names its shape.
 */
export interface Connection {
    v: 1;
    id: string;
    wire: Wire;
    accountId: string;
    /** `jti` and issue time (Unix s) of its token: what revocation closes it by. */
    tokenId: string;
    issuedAt: number;
    clientType: ClientType;
    sessionId?: string;
    machineId?: string;
    /** Unix ms. */
    connectedAt: number;
    /** In a gateway until the hub has welcomed it: nothing may reach it before its `connected`. */
    joining?: true;
    /** A user-scoped app that said it is in the foreground: suppresses push notifications. */
    appActive?: boolean;
    /** What the token carries beside the account, where calls are made with it; see `Actor`. */
    extras?: Record<string, string>;
    /** Where the client reached this server, for the URLs that calls answer with. */
    origin?: string;
    /** What a tRPC client has subscribed to. */
    subscriptions?: Subscription[];
    /** RPC methods it answers, with the time of their registration (Unix ms): the newest of all sockets wins. */
    rpc?: [method: string, at: number][];
    /** What its heartbeats led to, by object; see `presence.ts`. */
    beats?: Record<string, Beat>;
}

/** What became of the heartbeats for one session or machine on one socket; times are Unix ms, 0 for never. */
export interface Beat {
    writtenAt: number;
    announcedAt: number;
    thinking: boolean;
    /** Heartbeats before this time are ignored: the object was stopped, archived or is not there. */
    mutedUntil: number;
}

/** About what a value takes in an attachment: texts with any letter past Latin-1 have two bytes for each there. */
export function attachedBytes(value: unknown): number {
    const json = JSON.stringify(value);
    return /[^\0-\xff]/.test(json) ? json.length * 2 : json.length;
}

/** What a client says of itself when it connects, in the query, in headers or in its `auth` message. */
export interface Handshake {
    clientType: ClientType;
    sessionId?: string;
    machineId?: string;
    /** Account seq up to which the client has every update; it gets the later ones at once. */
    lastSeq?: number;
    /** An app in the foreground. */
    appActive?: true;
    /** tRPC only: where the client reached this server. */
    origin?: string;
}

/** Why a handshake is refused: the close code and its text. */
export interface Refusal {
    code: number;
    reason: string;
}

/** Raw parts of a handshake, from whatever carried them; kept in the attachment of a socket that has yet to authenticate. */
export interface HandshakeParts {
    clientType?: unknown;
    sessionId?: unknown;
    machineId?: unknown;
    lastSeq?: unknown;
    appState?: unknown;
    origin?: string;
}

const ID_LENGTH = 128;

/** Checks what a client says of itself; absent client type means user-scoped. */
export function readHandshake(parts: HandshakeParts): Handshake | Refusal {
    const clientType = CLIENT_TYPES.find((type) => type === (parts.clientType ?? 'user-scoped'));
    if (!clientType) return { code: CLOSE.invalidHandshake, reason: 'Unknown client type' };
    const sessionId = readId(parts.sessionId);
    const machineId = readId(parts.machineId);
    if (clientType === 'session-scoped' && !sessionId) {
        return { code: CLOSE.missingSessionId, reason: 'Session ID required for session-scoped clients' };
    }
    if (clientType === 'machine-scoped' && !machineId) {
        return { code: CLOSE.missingMachineId, reason: 'Machine ID required for machine-scoped clients' };
    }
    const lastSeq = Number(parts.lastSeq ?? Number.NaN);
    return {
        clientType,
        ...(clientType === 'session-scoped' && { sessionId }),
        ...(clientType === 'machine-scoped' && { machineId }),
        ...(Number.isSafeInteger(lastSeq) && lastSeq >= 0 && { lastSeq }),
        ...(clientType === 'user-scoped' && parts.appState === 'active' && { appActive: true as const }),
        ...(parts.origin !== undefined && { origin: parts.origin }),
    };
}

/** Tells a refusal from a handshake. */
export function isRefusal(value: Handshake | Refusal): value is Refusal {
    return 'code' in value;
}

/** Who a verified token or ticket says is calling. */
export type Caller = Pick<Actor, 'accountId' | 'tokenId' | 'issuedAt'> & Partial<Pick<Actor, 'extras'>>;

/** The connection of a verified caller. */
export function createConnection(
    wire: Wire,
    actor: Caller,
    { clientType, sessionId, machineId, appActive, origin }: Handshake,
    now: number,
): Connection {
    return {
        v: 1,
        id: crypto.randomUUID(),
        wire,
        accountId: actor.accountId,
        tokenId: actor.tokenId,
        issuedAt: actor.issuedAt,
        clientType,
        ...(sessionId !== undefined && { sessionId }),
        ...(machineId !== undefined && { machineId }),
        connectedAt: now,
        ...(appActive && { appActive }),
        ...(wire === 'trpc' && { subscriptions: [], origin, extras: actor.extras as Connection['extras'] }),
    };
}

function readId(value: unknown): string | undefined {
    return typeof value === 'string' && value !== '' && value.length <= ID_LENGTH ? value : undefined;
}
