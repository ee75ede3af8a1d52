import type { Ephemeral, UpdateBody } from '@/realtime/bodies';

/**
 * Who gets an event: sockets of the account that are user-scoped, and with `session` or `machine` also the sockets
 * scoped to that session or machine (contract 5).
 */
export interface Recipients {
    session?: string;
    machine?: string;
    /** Chosen sockets instead, whatever they are scoped to. */
    only?: BroadcastFilter;
}

/** Which sockets of the account a broadcast goes to (source document, POST /v1/websocket/broadcast). */
export type BroadcastFilter =
    | { type: 'all' }
    | { type: 'user-scoped-only' }
    | { type: 'session'; sessionId: string }
    | { type: 'machine'; machineId: string }
    | { type: 'exclude'; connectionId: string };

/** A durable, numbered event as sockets receive it: `seq` is the account's counter, `createdAt` Unix ms. */
export interface Update {
    id: string;
    seq: number;
    body: UpdateBody;
    createdAt: number;
}

/** An update on its way to the hub. */
export interface AddressedUpdate {
    update: Update;
    to: Recipients;
    /** Id of the socket that caused it and must not get it back. */
    skip?: string;
}

/** An object that was just stopped or deleted, and when, Unix ms: heartbeats still on their way must not revive it. */
export interface Stopped {
    kind: 'session' | 'machine';
    id: string;
    at: number;
}

/** An ephemeral on its way to the hub. */
export interface AddressedEphemeral {
    ephemeral: Ephemeral;
    to: Recipients;
    /** What it tells the end of. */
    stopped?: Stopped;
}

/** Everything one write has to tell: also when that is only how far the account's `seq` has come. */
export interface Publication {
    /** The account's `seq` after the write: how a hub notices that an earlier publication was lost. */
    seq: number;
    updates: AddressedUpdate[];
    ephemerals: AddressedEphemeral[];
}
