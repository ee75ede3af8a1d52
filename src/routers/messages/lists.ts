import { and, asc, desc, eq, getTableColumns, gt, lt, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { pageLimit, takePage } from '@/db/pages';
import { sessionMessages } from '@/db/schema';
import type { EncryptedContent } from '@/routers/messages/content';
import type { ListMessagesInput, PageMessagesInput, RecentMessagesInput } from '@/routers/messages/schema';
import { ownedSessionId, selectSessionId, sessionNotFound } from '@/routers/sessions/service';
import { decodeCursor, encodeCursor, invalidCursor } from '@/utils/cursor';

const RECENT_LIMIT = 150;

/** The newest 150 messages, newest first; with `sinceSeq` the 150 after it, ascending. */
export async function recentMessages(ctx: AccountContext, { id, sinceSeq }: RecentMessagesInput) {
    const { page } = await selectMessages(ctx, id, {
        where: sinceSeq == null ? undefined : gt(sessionMessages.seq, sinceSeq),
        ascending: sinceSeq != null,
        limit: RECENT_LIMIT,
    });
    return { messages: page };
}

/** A page of messages, newest first. */
export async function pageMessages(ctx: AccountContext, { id, cursor, limit }: PageMessagesInput) {
    const before = cursor == null ? undefined : parseCursor(cursor);
    const { page, hasMore } = await selectMessages(ctx, id, {
        where: before === undefined ? undefined : lt(sessionMessages.seq, before),
        ascending: false,
        limit,
    });
    const last = page.at(-1);
    return { messages: page, nextCursor: hasMore && last ? encodeCursor(last.seq) : null };
}

/**
 * Encrypted messages after a seq, ascending, or before one, descending. Others are left out: the app rejects a whole
 * page for one of them (contract 7.6).
 */
export async function listMessages(
    ctx: AccountContext,
    { sessionId, after_seq, before_seq, limit }: ListMessagesInput,
) {
    const ascending = before_seq == null;
    const range = ascending ? gt(sessionMessages.seq, after_seq ?? 0) : lt(sessionMessages.seq, before_seq);
    const { content } = sessionMessages;
    // What `isEncrypted` says, in SQL.
    const encrypted = sql`${content} ->> '$.t' = 'encrypted' AND json_type(${content}, '$.c') = 'text'
        AND json_remove(${content}, '$.t', '$.c') = '{}'`;
    const { page, hasMore } = await selectMessages(ctx, sessionId, { where: and(range, encrypted), ascending, limit });
    return { messages: page.map((message) => ({ ...message, content: message.content as EncryptedContent })), hasMore };
}

interface Selection {
    where: SQL | undefined;
    ascending: boolean;
    limit: number;
}

/** A page of a session's messages: at most `limit`, fewer when their content is long. */
async function selectMessages(ctx: AccountContext, id: string, { where, ascending, limit }: Selection) {
    const { accountId } = ctx.actor;
    const within = and(eq(sessionMessages.sessionId, ownedSessionId(accountId, id)), where);
    const order = ascending ? asc(sessionMessages.seq) : desc(sessionMessages.seq);
    const bytes = sql<number>`octet_length(${sessionMessages.content})`.as('bytes');
    const sizes = ctx.db.select({ bytes }).from(sessionMessages).where(within).orderBy(order);

    const [owned, rows] = await ctx.db.batch([
        selectSessionId(ctx.db, accountId, id),
        ctx.db
            .select({ ...getTableColumns(sessionMessages), bytes })
            .from(sessionMessages)
            .where(within)
            .orderBy(order)
            .limit(pageLimit(sizes, limit)),
    ]);
    if (owned.length === 0) throw sessionNotFound();
    return takePage(rows, limit);
}

function parseCursor(cursor: string): number {
    const seq = decodeCursor(cursor);
    if (!/^\d{1,15}$/.test(seq)) throw invalidCursor();
    return Number(seq);
}
