import type { ClientType } from '@/realtime/connection';

/**
 * Connection state recovery (contract 7.7): a client that is told a `pid` comes back with it and with the offset of the
 * last update it got. A pid tells from which update on its connection has seen everything, so it needs no keeping: what
 * the account's log still has after that can be resumed. It names the account, since clients keep it while their users
 * change: nobody has seen anything of another one.
 */
interface Resumed {
    clientType: ClientType;
    /** The account. */
    userId: string;
    /** Account seq that the connection began at. */
    seq: number;
    /** The pid that the client came with, if it got what it missed. */
    pid?: string;
}

/**
 * A place in an account's updates, as clients keep it. They keep an offset, too, while their users change. Pids with a dot
 * are of a time when offsets did not say whose they are: nothing goes on from those.
 */
const PLACE = /^([\w-]{1,64}):(\d{1,15})$/;

/** The place after an update: the offset that comes with it. */
export function placeOf(accountId: string, seq: number): string {
    return `${accountId}:${seq}`;
}

/** The pid to tell a client; none for those that load everything anew on every connect, and would get a prompt twice. */
export function resumptionId({ clientType, userId, seq, pid }: Resumed): string | undefined {
    return clientType === 'user-scoped' ? (pid ?? placeOf(userId, seq)) : undefined;
}

/** Whether a pid was told to a client of this account. */
export function isPidOf(accountId: string, pid: string): boolean {
    return PLACE.exec(pid)?.[1] === accountId;
}

/** What a client's pid and offset say: the account seq up to which it has everything. */
export function readResumption({ pid, offset, clientType }: Record<string, unknown>): {
    pid?: string;
    lastSeq?: number;
} {
    if ((clientType ?? 'user-scoped') !== 'user-scoped' || typeof pid !== 'string') return {};
    const [, account, from] = PLACE.exec(pid) ?? [];
    if (from === undefined) return {};
    const [, accountOfOffset, reached] = (typeof offset === 'string' && PLACE.exec(offset)) || [];
    // An offset from before this pid is of an earlier connection, and everything was loaded since; or of another account.
    const seen = accountOfOffset === account ? Number(reached) : 0;
    return { pid, lastSeq: Math.max(Number(from), seen) };
}
