import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { jsonRows, writeForAccount } from '@/db/batch';
import { sessionMessages, sessions } from '@/db/schema';
import { announce } from '@/realtime/publish';
import { encryptedContent } from '@/routers/messages/content';
import type { AppendMessagesInput, CreateMessageInput, Message } from '@/routers/messages/schema';
import { ownedSessionId, selectSessionId, sessionNotFound } from '@/routers/sessions/service';

/** A message on its way into a session. */
interface NewMessage {
    localId: string | null;
    content: unknown;
}

/** What a new message was stored under. */
interface Numbered {
    id: string;
    seq: number;
}

/** Appends encrypted messages as one block of seqs; those whose localId is known are returned as they are (P1, P2). */
export async function appendMessages(ctx: AccountContext, { sessionId, messages }: AppendMessagesInput) {
    const items = messages.map(({ localId, content }) => ({ localId, content: encryptedContent(content) }));
    const stored = await append(ctx, sessionId, items, { readContent: false });
    return { messages: stored.map(({ content: _c, sessionId: _s, ...facts }) => facts) };
}

/** Appends one message with any JSON content, or returns the stored one with this localId; `skip` names its socket. */
export async function createMessage(ctx: AccountContext, { id, localId, content }: CreateMessageInput, skip?: string) {
    const [message] = await append(ctx, id, [{ localId: localId ?? null, content }], { readContent: true, skip });
    if (!message) throw sessionNotFound();
    return { message };
}

/**
 * The one way a message gets in, whatever the door: one batch that numbers the new messages after the session's last,
 * skips known localIds, and returns all of them by seq. Known ones come without their content unless `readContent` asks
 * for it: a hundred of them hold up to 100 MB.
 */
async function append(
    ctx: AccountContext,
    sessionId: string,
    items: NewMessage[],
    { readContent, skip }: { readContent: boolean; skip?: string },
): Promise<Message[]> {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const fresh = firstOfEachLocalId(items).map((item, position) => ({ position, id: ctx.newId(), ...item }));
    const localIds = fresh.map(({ localId }) => localId).filter((localId) => localId !== null);
    const owned = ownedSessionId(accountId, sessionId);
    // CROSS JOIN keeps SQLite from reading the whole session: it looks each localId up by its index.
    const known = sql`json_each(${JSON.stringify(localIds)}) k`;
    const { sessionId: _, content, ...facts } = getTableColumns(sessionMessages);

    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql<Numbered>`INSERT INTO ${sessionMessages} (sessionId, seq, id, localId, content, createdAt, updatedAt)
            SELECT s.id, s.seq + row_number() OVER (ORDER BY m.value ->> 'position'), m.value ->> 'id',
                m.value ->> 'localId', m.value -> 'content', ${now}, ${now}
            FROM ${sessions} s, ${jsonRows(fresh)} m
            WHERE s.id = ${sessionId} AND s.accountId = ${accountId} AND NOT EXISTS (
                SELECT 1 FROM ${sessionMessages} e WHERE e.sessionId = s.id AND e.localId = m.value ->> 'localId')
            RETURNING id, seq`,
        sides: [
            sql`UPDATE ${sessions}
                SET seq = (SELECT max(seq) FROM ${sessionMessages} WHERE sessionId = ${sessionId}), updatedAt = ${now}
                WHERE id = ${sessionId} AND changes() > 0`,
        ],
        reads: [
            selectSessionId(ctx.db, accountId, sessionId),
            ctx.db
                .select({ ...facts, content: readContent ? content : sql<null>`NULL` })
                .from(known)
                .crossJoin(sessionMessages)
                .where(and(eq(sessionMessages.sessionId, owned), eq(sessionMessages.localId, sql`k.value`))),
        ],
    });
    if (reads[0].length === 0) throw sessionNotFound();

    const seqs = new Map(changed.map((row) => [row.id, row.seq]));
    const created = fresh.flatMap(({ position: _p, ...message }): Message[] => {
        const messageSeq = seqs.get(message.id);
        if (messageSeq === undefined) return [];
        return [{ ...message, sessionId, seq: messageSeq, createdAt: now, updatedAt: now }];
    });
    const existing = reads[1].filter((row) => !seqs.has(row.id)).map((row) => ({ ...row, sessionId }));

    announce(ctx, {
        accountId,
        seq,
        updates: created.map(({ sessionId: sid, ...message }) => ({
            body: { t: 'new-message', sid, message },
            to: { session: sid },
        })),
        skip,
    });
    return [...existing, ...created].sort((a, b) => a.seq - b.seq);
}

function firstOfEachLocalId(items: NewMessage[]): NewMessage[] {
    const seen = new Set<string>();
    return items.filter(({ localId }) => {
        if (localId === null) return true;
        if (seen.has(localId)) return false;
        return seen.add(localId);
    });
}
