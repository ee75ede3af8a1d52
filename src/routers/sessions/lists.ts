import { and, desc, eq, getTableColumns, gt, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { pageLimit, takePage } from '@/db/pages';
import { sessions } from '@/db/schema';
import type { ActiveSessionsInput, PageSessionsInput, Session } from '@/routers/sessions/schema';
import { toSession } from '@/routers/sessions/view';
import { decodeCursor, encodeCursor, invalidCursor } from '@/utils/cursor';

const LIST_LIMIT = 150;
const ACTIVE_WITHIN_MS = 15 * 60_000;

/** The 150 sessions that changed last. */
export async function listSessions(ctx: AccountContext): Promise<{ sessions: Session[] }> {
    const rows = await selectSessions(ctx, undefined, [desc(sessions.updatedAt)], LIST_LIMIT);
    return { sessions: takePage(rows, LIST_LIMIT).page.map(toSession) };
}

/** A page of sessions, newest created first; stable while others are created (contract 4.2). */
export async function pageSessions(ctx: AccountContext, { cursor, limit, changedSince }: PageSessionsInput) {
    const after = cursor == null ? undefined : decodeCursor(cursor);
    const owned = and(eq(sessions.accountId, ctx.actor.accountId), eq(sessions.id, after ?? ''));
    const cursorSession = ctx.db.select({ createdAt: sessions.createdAt }).from(sessions).where(owned);
    const wanted = and(
        changedSince == null ? undefined : gt(sessions.updatedAt, changedSince),
        // The first comparison lets the index start at the cursor; the second breaks ties by id.
        after === undefined
            ? undefined
            : sql`${sessions.createdAt} <= (${cursorSession})
                AND (${sessions.createdAt}, ${sessions.id}) < ((${cursorSession}), ${after})`,
    );
    const select = selectSessions(ctx, wanted, [desc(sessions.createdAt), desc(sessions.id)], limit);
    const [known, rows] = after === undefined ? [null, await select] : await ctx.db.batch([cursorSession, select]);
    if (known?.length === 0) throw invalidCursor();

    const { page, hasMore } = takePage(rows, limit);
    const last = page.at(-1);
    return {
        sessions: page.map(toSession),
        nextCursor: hasMore && last ? encodeCursor(last.id) : null,
        hasNext: hasMore,
    };
}

/** Sessions active within the last 15 minutes, the most recent first. */
export async function listActiveSessions(ctx: AccountContext, { limit }: ActiveSessionsInput) {
    const wanted = and(
        // A literal, so that SQLite can tell that the partial index covers it.
        sql`${sessions.active} = 1`,
        gt(sessions.lastActiveAt, ctx.now() - ACTIVE_WITHIN_MS),
    );
    const rows = await selectSessions(ctx, wanted, [desc(sessions.lastActiveAt)], limit);
    return { sessions: takePage(rows, limit).page.map(toSession) };
}

/** Reads a page of the account's sessions for `takePage`: at most `limit`, fewer when their texts are long. */
function selectSessions(ctx: AccountContext, wanted: SQL | undefined, order: SQL[], limit: number) {
    const where = and(eq(sessions.accountId, ctx.actor.accountId), wanted);
    const bytes = sql<number>`octet_length(${sessions.metadata}) + ifnull(octet_length(${sessions.agentState}), 0)`.as(
        'bytes',
    );
    const sizes = ctx.db
        .select({ bytes })
        .from(sessions)
        .where(where)
        .orderBy(...order);
    return ctx.db
        .select({ ...getTableColumns(sessions), bytes })
        .from(sessions)
        .where(where)
        .orderBy(...order)
        .limit(pageLimit(sizes, limit));
}
