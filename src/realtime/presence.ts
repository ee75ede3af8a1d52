import { and, eq, sql } from 'drizzle-orm';
import type { ServiceContext } from '@/context';
import { writeBatch } from '@/db/batch';
import { accounts, machines, sessions } from '@/db/schema';
import type { Heartbeat } from '@/realtime/heartbeat';
import { SILENCE_MS, STOP_GRACE_MS, WRITE_EVERY_MS } from '@/realtime/heartbeat';
import type { Ephemeral } from '@/realtime/bodies';

/** An object that heartbeats speak of. */
export interface LiveObject {
    accountId: string;
    kind: Heartbeat['kind'];
    id: string;
}

/**
 * Writes that an object is alive, at most every 30 s whichever socket says so; answers the account's seq, and whether
 * the object was inactive until now. When it is not the account's, or was stopped or archived, nothing is written, and
 * until `refusedUntil`, Unix ms, there is no use in asking again.
 */
export async function markActive(
    ctx: ServiceContext,
    { accountId, kind, id }: LiveObject,
    at: number,
): Promise<{ seq: number; revived: boolean } | { refusedUntil: number }> {
    const now = ctx.now();
    const table = kind === 'session' ? sessions : machines;
    const [mayLive, graceFrom, notStopped] =
        kind === 'session'
            ? [
                  sql`archivedAt IS NULL AND (stoppedAt IS NULL OR stoppedAt <= ${now - STOP_GRACE_MS})`,
                  sql`iif(archivedAt IS NULL, stoppedAt, NULL)`,
                  sql`, stoppedAt = NULL, stoppedReason = NULL`,
              ]
            : [sql`TRUE`, sql`NULL`, sql``];
    const { written } = await writeBatch(
        ctx.db,
        [
            sql`SELECT ${table.active}, ${accounts.seq}, ${mayLive} AS mayLive, ${graceFrom} AS graceFrom
                FROM ${table} JOIN ${accounts} ON ${accounts.id} = ${table.accountId}
                WHERE ${table.id} = ${id} AND ${table.accountId} = ${accountId}`,
            sql`UPDATE ${table} SET active = 1, lastActiveAt = max(lastActiveAt, ${at})${notStopped}
                WHERE id = ${id} AND accountId = ${accountId} AND ${mayLive}
                    AND (active = 0 OR lastActiveAt <= ${at - WRITE_EVERY_MS})`,
        ],
        [],
    );
    const [before] = written[0] as { active: number; seq: number; mayLive: number; graceFrom: number | null }[];
    if (before?.mayLive) return { seq: before.seq, revived: before.active === 0 };
    return { refusedUntil: (before?.graceFrom ?? now) + STOP_GRACE_MS };
}

/** Marks a machine online, because it has a socket, or offline; what apps are told, nothing when it is not there. */
export async function markMachine(
    ctx: ServiceContext,
    accountId: string,
    id: string,
    online: boolean,
): Promise<Ephemeral[]> {
    const now = ctx.now();
    const seen = online ? sql`active = 1, lastActiveAt = max(lastActiveAt, ${now})` : sql`active = 0`;
    const { written } = await writeBatch(
        ctx.db,
        [sql`UPDATE ${machines} SET ${seen} WHERE id = ${id} AND accountId = ${accountId} RETURNING lastActiveAt`],
        [],
    );
    const [row] = written[0] as { lastActiveAt: number }[];
    return row ? machineStatus(id, online, row.lastActiveAt, now) : [];
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

/** That an object is alive or not, as apps are told; times are Unix ms. */
export function activity(
    kind: Heartbeat['kind'],
    id: string,
    active: boolean,
    activeAt: number,
    thinking: boolean,
): Ephemeral {
    return kind === 'session'
        ? { type: 'activity', id, sid: id, active, activeAt, thinking }
        : { type: 'machine-activity', id, machineId: id, active, activeAt };
}

/** That a machine came online or went offline, as apps are told, whichever of the two events they listen to. */
export function machineStatus(id: string, online: boolean, activeAt: number, now: number): Ephemeral[] {
    return [
        activity('machine', id, online, activeAt, false),
        { type: 'machine-status', machineId: id, online, timestamp: now },
    ];
}
