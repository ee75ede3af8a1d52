import type { Beat, Connection } from '@/realtime/connection';
import { attachedBytes } from '@/realtime/connection';

/** A silent session or machine counts as inactive after this, in ms (contract 5.1). */
export const SILENCE_MS = 10 * 60_000;
/** The database sees a live object at most this often, in ms. */
export const WRITE_EVERY_MS = 30_000;
/** Apps hear of an unchanged live object at most this often, in ms. */
export const ANNOUNCE_EVERY_MS = 60_000;
/** What is due waits up to so long, in ms, for others that soon will be: they wake the hub together (contract 7.1). */
const WAIT_MS = 30_000;
/** Heartbeats on their way when a session is stopped do not revive it, in ms. */
export const STOP_GRACE_MS = 60_000;

/**
 * Most bytes of what is remembered on one socket, about 30 objects: its attachment's 16 KiB also hold 11,000 of methods
 * and some 700 of the connection itself. Heartbeats of more objects cost a query each.
 */
const MAX_BYTES = 4_500;

const NEVER: Beat = { writtenAt: 0, announcedAt: 0, thinking: false, mutedUntil: 0 };

/** A heartbeat of a session or machine. */
export interface Heartbeat {
    kind: 'session' | 'machine';
    id: string;
    /** When the client sent it, Unix ms. */
    time: number;
    thinking: boolean;
}

/** What a heartbeat asks for: nothing at all, in most cases. */
export interface Verdict {
    /** When the object was alive, Unix ms: never in the future, whatever the client's clock says. */
    at: number;
    /** The database is due to hear of it; whether it may, the database says. */
    write: boolean;
    /** Apps are due to hear of it. */
    announce: boolean;
}

/**
 * Judges a heartbeat by what became of the earlier ones on its socket (contract 5.1); null when it leads to nothing.
 * `soonDue` tells whether others of the account are to be announced within `WAIT_MS`.
 */
export function judgeHeartbeat(
    connection: Connection,
    { kind, id, time, thinking }: Heartbeat,
    now: number,
    soonDue = () => false,
): Verdict | null {
    const last = beatOf(connection, kind, id) ?? NEVER;
    const at = Math.min(time, now);
    if (at < now - SILENCE_MS || last.mutedUntil > now) return null;
    const overdue = now - last.announcedAt - ANNOUNCE_EVERY_MS;
    const isDue = overdue >= WAIT_MS || (overdue >= 0 && !soonDue());
    const announce = isDue || last.thinking !== thinking;
    // Whoever wakes the hub brings it the account's seq.
    const write = isDue || now - last.writtenAt >= WRITE_EVERY_MS;
    return write || announce ? { at, write, announce } : null;
}

/** The connection after a heartbeat that was acted upon. */
export function withHeartbeat(
    connection: Connection,
    { kind, id, thinking }: Heartbeat,
    { write, announce }: Verdict,
    now: number,
): Connection {
    const last = beatOf(connection, kind, id) ?? NEVER;
    return withBeat(
        connection,
        kind,
        id,
        {
            ...last,
            ...(write && { writtenAt: now }),
            ...(announce && { announcedAt: now, thinking }),
        },
        now,
    );
}

/** The connection with an object muted until then, Unix ms: it was stopped or deleted, or is not the account's. */
export function withMute(
    connection: Connection,
    { kind, id }: Pick<Heartbeat, 'kind' | 'id'>,
    mutedUntil: number,
    now: number,
): Connection {
    return withBeat(connection, kind, id, { ...NEVER, mutedUntil }, now);
}

/** Whether heartbeats for an object are muted on a socket. */
export function isMuted(connection: Connection, kind: Heartbeat['kind'], id: string, now: number): boolean {
    return (beatOf(connection, kind, id)?.mutedUntil ?? 0) > now;
}

/** What became of the earlier heartbeats for an object, if the socket had any. */
export function beatOf(connection: Connection, kind: Heartbeat['kind'], id: string): Beat | undefined {
    return connection.beats?.[`${kind}:${id}`];
}

/** An object that lives, as its socket knows. */
export interface LiveObject extends Pick<Heartbeat, 'kind' | 'id' | 'thinking'> {
    /** Unix ms; at most `WRITE_EVERY_MS` and a heartbeat old. */
    at: number;
}

/** Longest time between two heartbeats of a live object, with some delay, in ms: daemons send one every 20 s. */
const BEAT_EVERY_MS = 25_000;

/** Whether a live object of a socket is to be announced within `WAIT_MS`. */
export function isSoonDue(connection: Connection, now: number): boolean {
    return liveObjects(connection, now).some(
        ({ ageMs }) => ageMs < ANNOUNCE_EVERY_MS && ageMs > ANNOUNCE_EVERY_MS - WAIT_MS,
    );
}

/** The connection with all its announcements made that are due, and what they are of; null when there are none. */
export function withDueAnnouncements(
    connection: Connection,
    now: number,
): { connection: Connection; live: LiveObject[] } | null {
    const live = liveObjects(connection, now).filter(({ ageMs }) => ageMs >= ANNOUNCE_EVERY_MS);
    if (live.length === 0) return null;
    const verdict = { at: now, write: false, announce: true };
    const announced = live.reduce(
        (one, object) => withHeartbeat(one, { ...object, time: now }, verdict, now),
        connection,
    );
    return { connection: announced, live };
}

/** The live objects of a socket, and how long ago each was announced. */
function liveObjects({ beats = {} }: Connection, now: number): (LiveObject & { ageMs: number })[] {
    return Object.entries(beats).flatMap(([key, { announcedAt, writtenAt, thinking, mutedUntil }]) => {
        const isAlive = announcedAt > 0 && mutedUntil <= now && now - writtenAt < WRITE_EVERY_MS + BEAT_EVERY_MS;
        if (!isAlive) return [];
        const colon = key.indexOf(':');
        const [kind, id] = [key.slice(0, colon) as Heartbeat['kind'], key.slice(colon + 1)];
        return [{ kind, id, thinking, at: writtenAt, ageMs: now - announcedAt }];
    });
}

function withBeat(connection: Connection, kind: Heartbeat['kind'], id: string, beat: Beat, now: number): Connection {
    const beats = recentBeats(connection, now);
    const next = { ...beats, [`${kind}:${id}`]: beat };
    // The last one to come makes room: those before it stay remembered, however many take turns.
    for (const key of Object.keys(beats).toReversed()) {
        if (attachedBytes(next) <= MAX_BYTES) break;
        if (key !== `${kind}:${id}`) delete next[key];
    }
    return { ...connection, beats: next };
}

/** Without those that make no difference any more: a next heartbeat would be like a first one. */
function recentBeats({ beats = {} }: Connection, now: number): Record<string, Beat> {
    return Object.fromEntries(
        Object.entries(beats).filter(
            ([, { writtenAt, announcedAt, mutedUntil }]) =>
                Math.max(writtenAt, announcedAt, mutedUntil) > now - ANNOUNCE_EVERY_MS,
        ),
    );
}
