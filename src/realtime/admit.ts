import { and, eq, exists, sql } from 'drizzle-orm';
import type { TokenFacts } from '@/auth/auth';
import { selectCurrentAccount } from '@/auth/revocation';
import type { Db } from '@/db/client';
import { accounts, machines, sessions } from '@/db/schema';
import type { Handshake, Refusal } from '@/realtime/connection';
import { CLOSE } from '@/realtime/connection';

/**
 * Whether the session or machine a socket wants to follow is the account's, and how many updates the account has had:
 * one statement, for use alone or in a batch. No row when the token has ended: a socket lives long, so the minute that
 * verified tokens are remembered for is not good enough.
 */
export function selectScope(db: Db, token: TokenFacts, { sessionId, machineId }: Handshake) {
    const { accountId } = token;
    const one = { one: sql`1` };
    const session = db
        .select(one)
        .from(sessions)
        .where(and(eq(sessions.id, sessionId ?? ''), eq(sessions.accountId, accountId)));
    const machine = db
        .select(one)
        .from(machines)
        .where(and(eq(machines.id, machineId ?? ''), eq(machines.accountId, accountId)));
    return db
        .select({
            seq: accounts.seq,
            hasSession: sql<number>`${exists(session)}`,
            hasMachine: sql<number>`${exists(machine)}`,
        })
        .from(accounts)
        .where(and(eq(accounts.id, accountId), exists(selectCurrentAccount(db, token))));
}

type Scope = Awaited<ReturnType<typeof selectScope>>[number];

/** The refusal a scope leads to, if any: somebody else's session or machine closes like a missing one (contract 6). */
export function refusalOf(scope: Scope | undefined, { clientType }: Handshake): Refusal | undefined {
    if (!scope) return { code: CLOSE.authFailed, reason: 'Unauthorized' };
    if (clientType === 'session-scoped' && !scope.hasSession) {
        return { code: CLOSE.missingSessionId, reason: 'Session not found' };
    }
    if (clientType === 'machine-scoped' && !scope.hasMachine) {
        return { code: CLOSE.missingMachineId, reason: 'Machine not found' };
    }
    return undefined;
}
