import { and, asc, desc, eq, gt, lt, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { sessionMessages } from '@/db/schema';
import { ServiceError } from '@/errors';
import type { ListMessagesInput, PageMessagesInput, RecentMessagesInput } from '@/routers/messages/schema';
import { ownedSessionId, selectSessionId, sessionNotFound } from '@/routers/sessions/service';

const RECENT_LIMIT = 150;
const CURSOR_PREFIX = 'cursor_v1_';

/** The newest 150 messages, newest first; with `sinceSeq` the 150 after it, ascending. */
export async function recentMessages(ctx: AccountContext, { id, sinceSeq }: RecentMessagesInput) {
    const messages = await select(ctx, id, {
        where: sinceSeq == null ? undefined : gt(sessionMessages.seq, sinceSeq),
        ascending: sinceSeq != null,
        limit: RECENT_LIMIT,
    });
    return { messages };
}

/** A page of messages, newest first. */
export async function pageMessages(ctx: AccountContext, { id, cursor, limit }: PageMessagesInput) {
    const before = cursor == null ? undefined : parseCursor(cursor);
    const messages = await select(ctx, id, {
        where: before === undefined ? undefined : lt(sessionMessages.seq, before),
        ascending: false,
        limit: limit + 1,
    });
    const last = messages[limit - 1];
    return {
        messages: messages.slice(0, limit),
        nextCursor: messages.length > limit && last ? `${CURSOR_PREFIX}${last.seq}` : null,
    };
}

/**
 * Encrypted messages after a seq, ascending, or before one, descending. Others are left out: the app rejects a whole
 * page for one of them (contract 7.6).
 */
export async function listMessages(ctx: AccountContext, { sessionId, after_seq, before_seq, limit }: ListMessagesInput) {
    const ascending = before_seq == null;
    const range = ascending ? gt(sessionMessages.seq, after_seq ?? 0) : lt(sessionMessages.seq, before_seq);
    const encrypted = sql`${sessionMessages.content} ->> '$.t' = 'encrypted'
        AND json_type(${sessionMessages.content}, '$.c') = 'text'`;
    const messages = await select(ctx, sessionId, { where: and(range, encrypted), ascending, limit: limit + 1 });
    return {
        messages: messages.slice(0, limit).map((message) => ({ ...message, content: message.content as Encrypted })),
        hasMore: messages.length > limit,
    };
}

interface Encrypted {
    t: 'encrypted';
    c: string;
}

interface Selection {
    where: SQL | undefined;
    ascending: boolean;
    limit: number;
}

async function select(ctx: AccountContext, sessionId: string, { where, ascending, limit }: Selection) {
    const { accountId } = ctx.actor;
    const [owned, messages] = await ctx.db.batch([
        selectSessionId(ctx.db, accountId, sessionId),
        ctx.db
            .select()
            .from(sessionMessages)
            .where(and(eq(sessionMessages.sessionId, ownedSessionId(accountId, sessionId)), where))
            .orderBy(ascending ? asc(sessionMessages.seq) : desc(sessionMessages.seq))
            .limit(limit),
    ]);
    if (owned.length === 0) throw sessionNotFound();
    return messages;
}

function parseCursor(cursor: string): number {
    const seq = /^cursor_v1_(\d{1,15})$/.exec(cursor)?.[1];
    if (seq === undefined) throw new ServiceError('VALIDATION_FAILED', 'Invalid cursor format');
    return Number(seq);
}
