import { sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { accessKeys, sessionMessages, sessions, usageReports } from '@/db/schema';
import { announce } from '@/realtime/publish';
import type { AddressedEphemeral } from '@/realtime/updates';
import type { ArchiveSessionInput, DeleteSessionInput, SessionIdInput } from '@/routers/sessions/schema';
import { dropAttachments } from '@/routers/sessions/attachments';
import { isOwnedSession, ownedSessionId, sessionNotFound } from '@/routers/sessions/service';

/** Whether a session runs, was stopped or was archived, and since when. */
export async function getSessionState(ctx: AccountContext, { id }: SessionIdInput) {
    const { active, archivedAt, stoppedAt, stoppedReason, lastActiveAt } = sessions;
    const [row] = await ctx.db
        .select({ active, archivedAt, stoppedAt, stoppedReason, lastActiveAt })
        .from(sessions)
        .where(isOwnedSession(ctx.actor.accountId, id));
    if (!row) throw sessionNotFound();
    const inactive = row.archivedAt === null ? ('stopped' as const) : ('archived' as const);
    return {
        sessionId: id,
        state: row.active ? ('active' as const) : inactive,
        stoppedAt: row.stoppedAt,
        stoppedReason: row.stoppedReason,
        lastActivity: row.lastActiveAt,
    };
}

/** Stops a session but keeps it in the lists, or with `hard` removes it and all that hangs on it. */
export async function deleteSession(ctx: AccountContext, { id, hard }: DeleteSessionInput) {
    await (hard ? removeSession(ctx, id) : stopSession(ctx, id));
    return { success: true as const };
}

/**
 * Stops a session; heartbeats do not revive it for a minute. An archived one stays as it was archived.
 * Returns when it was last active, Unix ms.
 */
export async function stopSession(ctx: AccountContext, id: string): Promise<number> {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql<{ lastActiveAt: number }>`UPDATE ${sessions}
            SET active = 0, stoppedAt = ifnull(archivedAt, ${now}), updatedAt = ${now}
            WHERE id = ${id} AND accountId = ${accountId} RETURNING lastActiveAt`,
        updatesPerRow: 0,
    });
    const [row] = changed;
    if (!row) throw sessionNotFound();
    announce(ctx, { accountId, seq, ephemerals: [inactivity(id, row.lastActiveAt, now)] });
    return row.lastActiveAt;
}

async function removeSession(ctx: AccountContext, id: string): Promise<void> {
    const { accountId } = ctx.actor;
    const owned = ownedSessionId(accountId, id);
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        before: [sessionMessages, usageReports, accessKeys].map(
            (table) => sql`DELETE FROM ${table} WHERE sessionId = ${owned}`,
        ),
        main: sql`DELETE FROM ${sessions} WHERE id = ${id} AND accountId = ${accountId} RETURNING id`,
    });
    if (changed.length === 0) throw sessionNotFound();
    dropAttachments(ctx, id);
    announce(ctx, { accountId, seq, updates: [{ body: { t: 'delete-session', sid: id }, to: { session: id } }] });
}

/** Archives a session: inactive from now on, whatever heartbeats still come. Archiving again changes nothing. */
export async function archiveSession(ctx: AccountContext, { id, reason }: ArchiveSessionInput) {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const { reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`UPDATE ${sessions} SET active = 0, updatedAt = ${now}, archivedAt = ${now}, stoppedAt = ${now},
                stoppedReason = ${reason ?? null}
            WHERE id = ${id} AND accountId = ${accountId} AND archivedAt IS NULL`,
        updatesPerRow: 0,
        reads: [
            ctx.db
                .select({ archivedAt: sql<number>`${sessions.archivedAt}`, lastActiveAt: sessions.lastActiveAt })
                .from(sessions)
                .where(isOwnedSession(accountId, id)),
        ],
    });
    const [row] = reads[0];
    if (!row) throw sessionNotFound();
    announce(ctx, { accountId, seq, ephemerals: [inactivity(id, row.lastActiveAt, row.archivedAt)] });
    return { success: true as const, sessionId: id, archivedAt: row.archivedAt };
}

function inactivity(id: string, activeAt: number, at: number): AddressedEphemeral {
    return {
        ephemeral: { type: 'activity', id, sid: id, active: false, activeAt, thinking: false },
        to: {},
        stopped: { kind: 'session', id, at },
    };
}
