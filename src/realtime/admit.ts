import { and, eq, exists, sql } from 'drizzle-orm';
import type { TokenFacts } from '@/auth/auth';
import { selectCurrentAccount } from '@/auth/revocation';
import type { Db } from '@/db/client';
import { accounts, machines, sessions } from '@/db/schema';
import type { Handshake, Refusal } from '@/realtime/connection';
import { CLOSE } from '@/realtime/connection';

/**
 * Which of the sessions and machines that somebody wants to follow are the account's, and how many updates the account
 * has had: one statement for any number, for use alone or in a batch. No row when the token has ended: a socket lives
 * long, so the minute that verified tokens are remembered for is not good enough.
 */
export function selectScope(db: Db, token: TokenFacts, ...wanted: Handshake[]) {
    const { accountId } = token;
    const owned = (table: typeof sessions | typeof machines, ids: (string | undefined)[]) =>
        sql<string[]>`(SELECT json_group_array(t.id) FROM json_each(${JSON.stringify(ids)}) k
            CROSS JOIN ${table} t WHERE t.id = k.value AND t.accountId = ${accountId})`.mapWith(JSON.parse);
    return db
        .select({
            seq: accounts.seq,
            sessions: owned(
                sessions,
                wanted.map(({ sessionId }) => sessionId),
            ),
            machines: owned(
                machines,
                wanted.map(({ machineId }) => machineId),
            ),
        })
        .from(accounts)
        .where(and(eq(accounts.id, accountId), exists(selectCurrentAccount(db, token))));
}

type Scope = Awaited<ReturnType<typeof selectScope>>[number];

/** The refusal a scope leads to, if any: somebody else's session or machine closes like a missing one (contract 6). */
export function refusalOf(
    scope: Scope | undefined,
    { clientType, sessionId = '', machineId = '' }: Handshake,
): Refusal | undefined {
    if (!scope) return { code: CLOSE.authFailed, reason: 'Unauthorized' };
    if (clientType === 'session-scoped' && !scope.sessions.includes(sessionId)) {
        return { code: CLOSE.missingSessionId, reason: 'Session not found' };
    }
    if (clientType === 'machine-scoped' && !scope.machines.includes(machineId)) {
        return { code: CLOSE.missingMachineId, reason: 'Machine not found' };
    }
    return undefined;
}
