import type { Connection } from '@/realtime/connection';

/** Which sockets of an account to close: those of one token, or of every token issued up to a time (Unix s). */
export type Revocation = { tokenId: string } | { issuedUpTo: number };

/** Whether a revocation ends this connection. */
export function isRevoked(connection: Pick<Connection, 'tokenId' | 'issuedAt'>, revocation: Revocation): boolean {
    return 'tokenId' in revocation
        ? connection.tokenId === revocation.tokenId
        : connection.issuedAt <= revocation.issuedUpTo;
}

/** How long a socket may be on its way from the check of its token to the hub, in ms. */
const ON_THE_WAY_MS = 60_000;

/** The revocations of the last minute: a socket whose token was checked just before one must not slip in after it. */
export interface RecentRevocations {
    add(revocation: Revocation): void;
    end(connection: Pick<Connection, 'tokenId' | 'issuedAt'>): boolean;
}

/** Remembers in memory only: what it guards against takes milliseconds. */
export function createRecentRevocations(now: () => number): RecentRevocations {
    let recent: { revocation: Revocation; until: number }[] = [];
    return {
        add(revocation) {
            recent = [...recent.filter(({ until }) => until > now()), { revocation, until: now() + ON_THE_WAY_MS }];
        },
        end: (connection) => recent.some(({ revocation, until }) => until > now() && isRevoked(connection, revocation)),
    };
}
