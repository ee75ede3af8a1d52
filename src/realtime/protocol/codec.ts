/** What ties an answer to its question, as the sender spelled it. */
export type AckId = string | number;

/** A frame that came in, whatever the wire (contract 6). */
export type Incoming =
    | { kind: 'event'; event: string; data: unknown; ackId?: AckId }
    /** An answer to a frame of ours that asked for one. */
    | { kind: 'answer'; ackId: AckId; answer: unknown }
    | { kind: 'ping' }
    | { kind: 'invalid'; message: string };

/** How one wire writes frames. An event model on one side, text on the other; no rule of the product is in here. */
export interface Codec {
    decode(text: string): Incoming;
    /** An event for the client; with `ackId` the client is asked to answer. */
    event(name: string, data: unknown, now: number, ackId?: AckId): string;
    ack(ackId: AckId, value: unknown): string;
    pong(now: number): string;
}
