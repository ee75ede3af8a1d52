import { and, eq, sql } from 'drizzle-orm';
import type { ServiceContext } from '@/context';
import { writeBatch } from '@/db/batch';
import { machines, sessions } from '@/db/schema';
import type { Beat, Connection } from '@/realtime/connection';
import type { AddressedEphemeral, Ephemeral } from '@/realtime/updates';

/** A silent session or machine counts as inactive after this, in ms (contract 5.1). */
export const SILENCE_MS = 10 * 60_000;
/** The database sees a live object at most this often, in ms. */
export const WRITE_EVERY_MS = 30_000;
/** Apps hear of an unchanged live object at most this often, in ms. */
export const ANNOUNCE_EVERY_MS = 60_000;
/** Heartbeats on their way when a session is stopped do not revive it, in ms. */
export const STOP_GRACE_MS = 60_000;

const MAX_OBJECTS_PER_SOCKET = 16;

/** A heartbeat of a session or machine. */
export interface Heartbeat {
    kind: 'session' | 'machine';
    id: string;
    /** When the client sent it, Unix ms. */
    time: number;
    thinking: boolean;
}

/** What a heartbeat leads to. */
export interface BeatOutcome {
    /** The connection to keep; the same object when nothing changed. */
    connection: Connection;
    announce?: AddressedEphemeral;
}

/**
 * Takes a heartbeat. Most lead to nothing at all: the database is written every 30 s, apps hear of a change at once
 * and otherwise once a minute, both remembered in the socket's attachment.
 */
export async function takeHeartbeat(ctx: ServiceContext, connection: Connection, beat: Heartbeat): Promise<BeatOutcome> {
    const now = ctx.now();
    const at = Math.min(beat.time, now);
    const key = beatKey(beat.kind, beat.id);
    const known = connection.beats?.[key];
    const last = known ?? { writtenAt: 0, announcedAt: 0, thinking: false, mutedUntil: 0 };
    const changed = last.announcedAt === 0 || last.thinking !== beat.thinking;
    const dueWrite = now - last.writtenAt >= WRITE_EVERY_MS;
    if (at < now - SILENCE_MS || last.mutedUntil > now || (!dueWrite && !changed)) return { connection };
    if (!known && Object.keys(connection.beats ?? {}).length >= MAX_OBJECTS_PER_SOCKET) return { connection };

    if (dueWrite && !(await markActive(ctx, connection.accountId, beat.kind, beat.id, at))) {
        return { connection: withBeat(connection, key, { ...last, mutedUntil: now + STOP_GRACE_MS }) };
    }
    const written = { ...last, writtenAt: dueWrite ? now : last.writtenAt };
    if (!changed && now - last.announcedAt < ANNOUNCE_EVERY_MS) return { connection: withBeat(connection, key, written) };
    return {
        connection: withBeat(connection, key, { ...written, announcedAt: now, thinking: beat.thinking }),
        announce: { ephemeral: activity(beat.kind, beat.id, true, at, beat.thinking), to: {} },
    };
}

/** The connection with the heartbeats of a session muted, because it was just stopped; the same one if it has none. */
export function muteSession(connection: Connection, sessionId: string, now: number): Connection {
    const key = beatKey('session', sessionId);
    const beat = connection.beats?.[key];
    if (!beat) return connection;
    return withBeat(connection, key, { ...beat, writtenAt: 0, announcedAt: 0, mutedUntil: now + STOP_GRACE_MS });
}

/**
 * Writes that an object is alive, at most every 30 s whichever socket says so. False when it is not the account's, or
 * was stopped or archived: then nothing is written.
 */
export async function markActive(
    ctx: ServiceContext,
    accountId: string,
    kind: Heartbeat['kind'],
    id: string,
    at: number,
): Promise<boolean> {
    const table = kind === 'session' ? sessions : machines;
    const stoppable = kind === 'session' ? sql`AND ${mayRevive(ctx.now())}` : sql``;
    const { reads } = await writeBatch(
        ctx.db,
        [
            sql`UPDATE ${table} SET active = 1, lastActiveAt = max(lastActiveAt, ${at})
                WHERE id = ${id} AND accountId = ${accountId} ${stoppable}
                    AND (active = 0 OR lastActiveAt <= ${at - WRITE_EVERY_MS})`,
        ],
        [
            ctx.db
                .select({ active: table.active })
                .from(table)
                .where(and(eq(table.id, id), eq(table.accountId, accountId))),
        ],
    );
    return reads[0][0]?.active ?? false;
}

/** Marks a machine offline at once: its last socket has closed. Null when it is not there. */
export async function markMachineOffline(ctx: ServiceContext, accountId: string, id: string): Promise<Ephemeral[]> {
    const { written } = await writeBatch(
        ctx.db,
        [
            sql`UPDATE ${machines} SET active = 0 WHERE id = ${id} AND accountId = ${accountId} RETURNING lastActiveAt`,
        ],
        [],
    );
    const [row] = written[0] as { lastActiveAt: number }[];
    return row ? machineStatus(id, false, row.lastActiveAt, ctx.now()) : [];
}

/** What apps are told when a machine comes or goes. */
export function machineStatus(id: string, online: boolean, activeAt: number, now: number): Ephemeral[] {
    return [activity('machine', id, online, activeAt, false), { type: 'machine-status', machineId: id, online, timestamp: now }];
}

/** Ends what has been silent for ten minutes; tells when the next could be due, or null when nothing is active. */
export async function sweepSilent(ctx: ServiceContext, accountId: string) {
    const cutoff = ctx.now() - SILENCE_MS;
    const sweep = (table: typeof sessions | typeof machines) =>
        sql`UPDATE ${table} SET active = 0 WHERE accountId = ${accountId} AND active = 1 AND lastActiveAt <= ${cutoff}
            RETURNING id, lastActiveAt`;
    const oldest = (table: typeof sessions | typeof machines) =>
        ctx.db
            .select({ at: sql<number | null>`min(${table.lastActiveAt})` })
            .from(table)
            .where(and(eq(table.accountId, accountId), sql`${table.active} = 1`));
    const { written, reads } = await writeBatch(
        ctx.db,
        [sweep(sessions), sweep(machines)],
        [oldest(sessions), oldest(machines)],
    );
    const [silentSessions, silentMachines] = written as { id: string; lastActiveAt: number }[][];
    const ephemerals = [
        ...(silentSessions ?? []).map(({ id, lastActiveAt }) => activity('session', id, false, lastActiveAt, false)),
        ...(silentMachines ?? []).flatMap(({ id, lastActiveAt }) => machineStatus(id, false, lastActiveAt, ctx.now())),
    ];
    const left = reads.flatMap(([row]) => (row?.at == null ? [] : [row.at]));
    return { ephemerals, nextAt: left.length > 0 ? Math.min(...left) + SILENCE_MS : null };
}

function mayRevive(now: number) {
    return sql`archivedAt IS NULL AND (stoppedAt IS NULL OR stoppedAt <= ${now - STOP_GRACE_MS})`;
}

function activity(kind: Heartbeat['kind'], id: string, active: boolean, activeAt: number, thinking: boolean): Ephemeral {
    return kind === 'session'
        ? { type: 'activity', id, sid: id, active, activeAt, thinking }
        : { type: 'machine-activity', id, machineId: id, active, activeAt };
}

function beatKey(kind: Heartbeat['kind'], id: string): string {
    return `${kind}:${id}`;
}

function withBeat(connection: Connection, key: string, beat: Beat): Connection {
    return { ...connection, beats: { ...connection.beats, [key]: beat } };
}
