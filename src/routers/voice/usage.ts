import type { SQL } from 'drizzle-orm';
import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { jsonRows, writeForAccount } from '@/db/batch';
import { voiceConversations } from '@/db/schema';
import type { ConversationState } from '@/integrations/eleven-labs';
import { fetchConversation } from '@/integrations/eleven-labs';
import { announce } from '@/realtime/publish';

/** Limits hold for the conversations of so many ms back. */
export const WINDOW_MS = 30 * 24 * 60 * 60_000;
/** Open conversations of an account that are looked up at once; with more of them none can be started. */
export const MAX_OPEN = 20;
/** A token that was not used for so long never will be. */
const UNUSED_AFTER_MS = 60 * 60_000;
/** No conversation lasts longer; one that seems to has lost its end. */
const LONGEST_MS = 24 * 60 * 60_000;

/** What an account has used of voice within the window. */
export interface VoiceUsage {
    usedSeconds: number;
    conversationCount: number;
    openCount: number;
    /** The statement that keeps what ElevenLabs said of open conversations; none when it said nothing new. */
    settle: SQL[];
}

interface OpenRow {
    id: string;
    startedAt: number;
    usedSeconds: number;
}

interface Progress {
    id: string;
    usedSeconds: number;
    /** Unix ms; null while the conversation goes on. */
    endedAt: number | null;
}

/**
 * Counts what was used, by ElevenLabs' own clock: a client's word proves nothing. Ended conversations are counted from
 * the database, one round trip; open ones are looked up, each once more after its end.
 * @throws OutsideError when a lookup fails
 */
export async function measureUsage(ctx: AccountContext, apiKey: string): Promise<VoiceUsage> {
    const { accountId, startedAt, endedAt, usedSeconds, id } = voiceConversations;
    const now = ctx.now();
    const recent = and(eq(accountId, ctx.actor.accountId), gt(startedAt, now - WINDOW_MS));
    const [[totals], open] = await ctx.db.batch([
        ctx.db
            .select({
                count: sql<number>`count(*)`,
                open: sql<number>`count(*) FILTER (WHERE endedAt IS NULL)`,
                seconds: sql<number>`coalesce(sum(usedSeconds), 0)`,
            })
            .from(voiceConversations)
            .where(recent),
        ctx.db
            .select({ id, startedAt, usedSeconds })
            .from(voiceConversations)
            .where(and(recent, isNull(endedAt)))
            .orderBy(asc(startedAt))
            .limit(MAX_OPEN),
    ]);

    const looked = await Promise.all(
        open.map(async (row) => progressOf(row, await fetchConversation(ctx.config.integrations, apiKey, row.id), now)),
    );
    const added = looked.reduce((sum, { usedSeconds: seconds }, i) => sum + seconds - (open[i]?.usedSeconds ?? 0), 0);
    const changed = looked.filter((row, i) => row.endedAt !== null || row.usedSeconds !== open[i]?.usedSeconds);
    return {
        usedSeconds: (totals?.seconds ?? 0) + added,
        conversationCount: totals?.count ?? 0,
        openCount: (totals?.open ?? 0) - looked.filter((row) => row.endedAt !== null).length,
        settle: changed.length > 0 ? [settleRows(ctx.actor.accountId, changed)] : [],
    };
}

/** Keeps what was looked up, when no other write takes it along. */
export async function settle(ctx: AccountContext, usage: VoiceUsage): Promise<void> {
    const [main] = usage.settle;
    if (!main) return;
    const { accountId } = ctx.actor;
    const { seq } = await writeForAccount(ctx.db, { accountId, main, updatesPerRow: 0 });
    announce(ctx, { accountId, seq });
}

function progressOf({ id, startedAt, usedSeconds }: OpenRow, state: ConversationState | null, now: number): Progress {
    const age = now - startedAt;
    if (state === null) return { id, usedSeconds, endedAt: age > UNUSED_AFTER_MS ? startedAt : null };
    if (state.ended || age > LONGEST_MS) {
        return { id, usedSeconds: state.seconds, endedAt: (state.startedAt ?? startedAt) + state.seconds * 1000 };
    }
    // While it goes on, ElevenLabs may not have counted yet.
    const running = state.startedAt === null ? 0 : Math.max(0, Math.ceil((now - state.startedAt) / 1000));
    return { id, usedSeconds: Math.max(state.seconds, running, usedSeconds), endedAt: null };
}

function settleRows(accountId: string, rows: Progress[]): SQL {
    return sql`UPDATE ${voiceConversations}
        SET usedSeconds = r.value ->> 'usedSeconds', endedAt = r.value ->> 'endedAt'
        FROM ${jsonRows(rows)} r
        WHERE id = r.value ->> 'id' AND accountId = ${accountId} AND endedAt IS NULL`;
}
