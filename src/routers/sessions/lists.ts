import { and, desc, eq, gt, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { sessions } from '@/db/schema';
import { ServiceError } from '@/errors';
import type { ActiveSessionsInput, PageSessionsInput, Session } from '@/routers/sessions/schema';
import { toSession } from '@/routers/sessions/view';

const LIST_LIMIT = 150;
const ACTIVE_WITHIN_MS = 15 * 60_000;
const CURSOR_PREFIX = 'cursor_v1_';

/** The 150 sessions that changed last. */
export async function listSessions(ctx: AccountContext): Promise<{ sessions: Session[] }> {
    const rows = await ctx.db
        .select()
        .from(sessions)
        .where(eq(sessions.accountId, ctx.actor.accountId))
        .orderBy(desc(sessions.updatedAt))
        .limit(LIST_LIMIT);
    return { sessions: rows.map(toSession) };
}

/** A page of sessions, newest created first; stable while others are created (contract 4.2). */
export async function pageSessions(ctx: AccountContext, { cursor, limit, changedSince }: PageSessionsInput) {
    const { accountId } = ctx.actor;
    const after = cursor == null ? undefined : parseCursor(cursor);
    const owned = and(eq(sessions.accountId, accountId), eq(sessions.id, after ?? ''));
    const cursorSession = ctx.db.select({ createdAt: sessions.createdAt }).from(sessions).where(owned);
    const page = ctx.db
        .select()
        .from(sessions)
        .where(
            and(
                eq(sessions.accountId, accountId),
                changedSince == null ? undefined : gt(sessions.updatedAt, changedSince),
                // The first comparison lets the index start at the cursor; the second breaks ties by id.
                after === undefined
                    ? undefined
                    : sql`${sessions.createdAt} <= (${cursorSession})
                        AND (${sessions.createdAt}, ${sessions.id}) < ((${cursorSession}), ${after})`,
            ),
        )
        .orderBy(desc(sessions.createdAt), desc(sessions.id))
        .limit(limit + 1);

    const [known, rows] = after === undefined ? [null, await page] : await ctx.db.batch([cursorSession, page]);
    if (known?.length === 0) throw invalidCursor();

    const hasNext = rows.length > limit;
    const last = rows[limit - 1];
    return {
        sessions: rows.slice(0, limit).map(toSession),
        nextCursor: hasNext && last ? CURSOR_PREFIX + last.id : null,
        hasNext,
    };
}

/** Sessions active within the last 15 minutes, the most recent first. */
export async function listActiveSessions(ctx: AccountContext, { limit }: ActiveSessionsInput) {
    const rows = await ctx.db
        .select()
        .from(sessions)
        .where(
            and(
                eq(sessions.accountId, ctx.actor.accountId),
                // A literal, so that SQLite can tell that the partial index covers it.
                sql`${sessions.active} = 1`,
                gt(sessions.lastActiveAt, ctx.now() - ACTIVE_WITHIN_MS),
            ),
        )
        .orderBy(desc(sessions.lastActiveAt))
        .limit(limit);
    return { sessions: rows.map(toSession) };
}

function parseCursor(cursor: string): string {
    const id = cursor.startsWith(CURSOR_PREFIX) ? cursor.slice(CURSOR_PREFIX.length) : '';
    if (id === '') throw invalidCursor();
    return id;
}

function invalidCursor(): ServiceError {
    return new ServiceError('VALIDATION_FAILED', 'Invalid cursor format');
}
