import type { Refusal } from '@/realtime/connection';
import type { Update } from '@/realtime/updates';

/** What ties an answer to its question, as the sender spelled it. */
export type AckId = string | number;

/** A frame that came in, whatever the wire (contract 6). */
export type Incoming =
    /** Says whose the socket is. */
    | { kind: 'auth'; data: unknown; ackId?: AckId }
    | { kind: 'event'; event: string; data: unknown; ackId?: AckId }
    /** An answer to a frame of ours that asked for one. */
    | { kind: 'answer'; ackId: AckId; answer: unknown }
    | { kind: 'ping' }
    /** The client leaves, and says so. */
    | { kind: 'leave' }
    | { kind: 'invalid'; message: string };

/** What a wire has for an event: a text; the closing of the socket where it has no other word for it; or nothing. */
export type Outgoing = string | { code: number; reason: string } | null;

/** How one wire writes frames. An event model on one side, text on the other; no rule of the product is in here. */
export interface Codec {
    /** A client's ping that the runtime answers without waking the object, and the answer. An object has one such pair. */
    autoResponse: [ping: string, pong: string];
    /** What a socket is greeted with before it says whose it is. */
    greeting(): string | null;
    /** Where the server has to ping: what it sends, lest its clients take it for dead. */
    serverPing: string | null;
    /** How long a socket may take to say whose it is, in ms. */
    authWithinMs: number;
    decode(text: string): Incoming;
    /** An event for a client of the account; with `ackId` the client is asked to answer. */
    event(name: string, data: unknown, now: number, ackId?: AckId, accountId?: string): Outgoing;
    ack(ackId: AckId, value: unknown): string;
    /** An update inside an answer, where this wire's clients want it otherwise; null when they would choke on it. */
    update?(update: Update): object | null;
    /** What a socket that may not join is told before it is closed; nothing where the close code says it all. */
    refusal(refusal: Refusal, now: number): Outgoing;
    pong(now: number): Outgoing;
}
