import { sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { accounts, sessions, usageReports } from '@/db/schema';
import { announce } from '@/realtime/publish';
import { sessionNotFound } from '@/routers/sessions/service';
import type { ReportUsageInput } from '@/routers/usage/schema';

/**
 * Stores what a session, or the account itself, used under a key, replacing the last report there; what the socket event
 * `usage-report` does. A session's report is shown live (contract 5, 6).
 * @throws NOT_FOUND for a session that is not the caller's
 */
export async function reportUsage(ctx: AccountContext, { key, sessionId: session, tokens, cost }: ReportUsageInput) {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const sessionId = session ?? null;
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql<{ id: string; createdAt: number }>`INSERT INTO ${usageReports}
                (id, key, accountId, sessionId, data, createdAt, updatedAt)
            SELECT ${ctx.newId()}, ${key}, id, ${sessionId}, ${JSON.stringify({ tokens, cost })}, ${now}, ${now}
            FROM ${accounts} WHERE id = ${accountId} AND (${sessionId} IS NULL OR EXISTS (
                SELECT 1 FROM ${sessions} WHERE id = ${sessionId} AND accountId = ${accountId}))
            ON CONFLICT (accountId, sessionId, key) DO UPDATE SET data = excluded.data, updatedAt = excluded.updatedAt
            ON CONFLICT (accountId, key) WHERE sessionId IS NULL
                DO UPDATE SET data = excluded.data, updatedAt = excluded.updatedAt
            RETURNING id, createdAt`,
        updatesPerRow: 0,
    });
    const [report] = changed;
    if (!report) throw sessionNotFound();
    const shown = { type: 'usage' as const, key, tokens, cost, timestamp: now };
    const ephemerals = sessionId === null ? [] : [{ ephemeral: { ...shown, id: sessionId, sid: sessionId }, to: {} }];
    announce(ctx, { accountId, seq, ephemerals });
    return { success: true as const, reportId: report.id, createdAt: report.createdAt, updatedAt: now };
}
