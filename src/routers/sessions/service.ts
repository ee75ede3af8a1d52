import type { SQL } from 'drizzle-orm';
import { and, eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import type { Db } from '@/db/client';
import { sessions } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import type { CreateSessionInput, Session, SessionIdInput } from '@/routers/sessions/schema';
import { toSession } from '@/routers/sessions/view';

/** Creates a session, or returns the one that has the tag already, unchanged (contract 4.2). */
export async function createSession(ctx: AccountContext, input: CreateSessionInput): Promise<{ session: Session }> {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const agentState = input.agentState ?? null;
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`INSERT INTO ${sessions}
            (id, accountId, tag, metadata, metadataVersion, agentState, agentStateVersion, dataEncryptionKey,
             seq, active, lastActiveAt, createdAt, updatedAt)
            VALUES (${ctx.newId()}, ${accountId}, ${input.tag}, ${input.metadata}, 1, ${agentState},
                ${agentState === null ? 0 : 1}, ${input.dataEncryptionKey ?? null}, 0, 1, ${now}, ${now}, ${now})
            ON CONFLICT (accountId, tag) DO NOTHING RETURNING id`,
        reads: [
            ctx.db
                .select()
                .from(sessions)
                .where(and(eq(sessions.accountId, accountId), eq(sessions.tag, input.tag))),
        ],
    });
    const [row] = reads[0];
    if (!row) throw new ServiceError('UNAUTHORIZED', 'Unauthorized'); // the account is gone
    const session = toSession(row);
    const { lastMessage: _, ...fields } = session;
    announce(ctx, {
        accountId,
        seq,
        updates: changed.length > 0 ? [{ body: { t: 'new-session', ...fields }, to: {} }] : [],
    });
    return { session };
}

/** The caller's session with this id. */
export async function getSession(ctx: AccountContext, { id }: SessionIdInput): Promise<{ session: Session }> {
    const [row] = await ctx.db.select().from(sessions).where(isOwnedSession(ctx.actor.accountId, id));
    if (!row) throw sessionNotFound();
    return { session: toSession(row) };
}

/** Condition: the session with this id, if it is the account's. */
export function isOwnedSession(accountId: string, id: string): SQL | undefined {
    return and(eq(sessions.id, id), eq(sessions.accountId, accountId));
}

/** The id of the session if it is the account's: what reads and writes of its children filter by. */
export function ownedSessionId(accountId: string, id: string): SQL<string> {
    return sql`(SELECT id FROM ${sessions} WHERE id = ${id} AND accountId = ${accountId})`;
}

/** Tells in a batch whether the session is the account's: one row or none. */
export function selectSessionId(db: Db, accountId: string, id: string) {
    return db.select({ id: sessions.id }).from(sessions).where(isOwnedSession(accountId, id));
}

/** What callers are told of a session that is not theirs, whether it exists or not. */
export function sessionNotFound(): ServiceError {
    return new ServiceError('NOT_FOUND', 'Session not found');
}
