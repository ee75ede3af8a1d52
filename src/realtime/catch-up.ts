import type { Connection } from '@/realtime/connection';
import { deliveryOf } from '@/realtime/fan-out';
import { beginningAt } from '@/realtime/follow';
import type { OutgoingEvent } from '@/realtime/peers';
import { receives } from '@/realtime/recipients';
import type { UpdateLog } from '@/realtime/recovery';
import type { MissedUpdates } from '@/realtime/room';

/** About how many bytes of missed updates go into one reply (contract 13). */
const PAGE_BYTES = 1_000_000;

/**
 * Most bytes of missed updates that an account's sockets get at once, and how many more each millisecond: nobody knows
 * whether they read, and what they do not read is kept in memory. Enough for one that was away to get all of the log.
 */
const ALLOWANCE = { bytes: 24_000_000, perMs: 400 };

/** Takes bytes from an account's allowance; false when they are not left. */
export type Allowance = (bytes: number, now: number) => boolean;

/** Opens an allowance, in memory only: so is what it bounds. */
export function createAllowance(): Allowance {
    let [taken, at] = [0, 0];
    return (bytes, now) => {
        taken = Math.max(0, taken - Math.max(0, now - at) * ALLOWANCE.perMs);
        at = now;
        if (taken + bytes > ALLOWANCE.bytes) return false;
        taken += bytes;
        return true;
    };
}

/** An account's log, and how much of it may go out. */
export interface Source {
    log: UpdateLog;
    allow: Allowance;
}

/** One reply to `request-updates-since` (contract 6): what concerns the socket, as it was sent live. */
export function missedPage({ log, allow }: Source, connection: Connection, seq: number, now: number): MissedUpdates {
    const page = log.since(seq, now, PAGE_BYTES);
    if (!page || !allow(log.bytesAfter(seq) - log.bytesAfter(page.seq), now))
        return { success: false, error: 'resync-required' };
    const updates = page.updates.filter(({ to }) => receives(connection, to)).map(({ update }) => update);
    return { success: true, updates, seq: page.seq, hasMore: page.hasMore };
}

/**
 * What a new socket is told at once: that it is connected, and what it missed. One that names its earlier connection
 * learns with the first whether that goes on; the others are told to start over if it does not.
 */
export function* welcome(
    connected: { connectionId: string },
    missed: Generator<OutgoingEvent[]> | undefined,
    pid: string | undefined,
): Generator<OutgoingEvent[]> {
    const first = pid === undefined ? undefined : (missed?.next().value as OutgoingEvent[] | undefined);
    const goesOn = first !== undefined && !first.some(({ event }) => event === 'resync');
    yield [{ event: 'connected', data: goesOn ? { ...connected, pid } : connected }];
    if (goesOn) yield first;
    if (goesOn || pid === undefined) yield* missed ?? [];
}

/**
 * What a subscription begins with: what it missed; or, where it does not say how far it is, the place it begins at. That
 * comes before it is told that it has begun, so that whoever knows it to be there can always continue it (P5).
 */
export function* beginSubscription(
    source: Source,
    connection: Connection,
    { from, ...range }: { from: number | undefined; upTo: number; reached: number; now: number },
): Generator<OutgoingEvent[]> {
    const started = { event: 'started', data: null };
    if (from === undefined) return yield [beginningAt(range.reached), started];
    yield [started];
    yield* catchUp(source, connection, { ...range, from });
}

/**
 * What a client that reconnects has missed after `from`, page by page, up to what the log had delivered when it came:
 * the rest comes live. It is told to start over from `reached` instead when that is not all there (P5), or too much.
 */
export function* catchUp(
    { log, allow }: Source,
    connection: Connection,
    { from, upTo, reached, now }: { from: number; upTo: number; reached: number; now: number },
): Generator<OutgoingEvent[]> {
    for (let seq = from, more = true; more;) {
        const page = log.since(seq, now, PAGE_BYTES, upTo);
        // Asked for as a whole: a part of it would be for nothing.
        if (!page || (seq === from && !allow(log.bytesAfter(from), now)))
            return yield [{ event: 'resync', data: { seq: reached } }];
        yield page.updates.filter(({ to }) => receives(connection, to)).map(deliveryOf);
        seq = page.seq;
        more = page.hasMore;
    }
}
