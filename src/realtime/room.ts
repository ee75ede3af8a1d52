import type { Connection } from '@/realtime/connection';
import type { AckId } from '@/realtime/protocol/codec';
import type { Beginning } from '@/realtime/subscriptions';
import type { AddressedEphemeral, Update } from '@/realtime/updates';

/** What a socket that was away gets (contract 6, 13). */
export type MissedUpdates =
    | { success: true; updates: Update[]; seq: number; hasMore: boolean }
    | { success: false; error: 'resync-required' };

/** What a socket asks of its account's hub, hosted there or in a gateway. */
export interface Room {
    callRpc(caller: Connection, ackId: AckId | null, method: string, params: unknown): Promise<void> | void;
    cancelRpc(callerId: string, ackId: AckId): Promise<void> | void;
    answerRpc(targetId: string, callId: string, answer: unknown): Promise<void> | void;
    /** A method was just registered: calls that wait for it go out. */
    rpcRegistered(method: string): Promise<void> | void;
    /**
     * Begins subscriptions of this socket: each is told that it is there and what it missed, or where it is, and has
     * what comes from then on. `seq` as in `Admission`.
     */
    follow(connection: Connection, beginnings: Beginning[], seq: number): Promise<void>;
    missedUpdates(connection: Connection, seq: number): Promise<MissedUpdates>;
    /** Sends any data to the account's other sockets. */
    relay(senderId: string, data: unknown): Promise<void> | void;
    /** With `seq`, the account's by the database, so that the hub notices what it was never told (P6). */
    announce(ephemerals: AddressedEphemeral[], seq?: number): Promise<void> | void;
}
