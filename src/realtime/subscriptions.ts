import type { Connection } from '@/realtime/connection';
import type { Delivery } from '@/realtime/fan-out';
import type { AckId } from '@/realtime/protocol/codec';
import { receives } from '@/realtime/recipients';
import type { SocketHost } from '@/realtime/socket-host';

/** Most subscriptions of one socket: they are kept in its attachment. */
export const MAX_SUBSCRIPTIONS = 50;

/** A tRPC subscription to `realtime.updates`, as it is kept in its socket's attachment (contract 8). */
export interface Subscription {
    /** Of the request, as its client spelled it: every event names it. */
    id: AckId;
    scope: 'user' | 'session' | 'machine';
    /** The session or machine. */
    target?: string;
    /** Until it has got what it missed: nothing live may overtake that. */
    joining?: true;
}

/** A subscription that begins. */
export interface Beginning {
    subscription: Subscription;
    /** The account seq up to which it has every update; without one it begins with what comes from now on. */
    lastSeq?: number;
}

/** A connection as if it were there for one subscription only: gets what that gets. */
export function scopedTo(connection: Connection, { scope, target }: Subscription): Connection {
    const { sessionId: _, machineId: __, ...rest } = connection;
    return {
        ...rest,
        clientType: `${scope}-scoped`,
        ...(target !== undefined && scope === 'session' && { sessionId: target }),
        ...(target !== undefined && scope === 'machine' && { machineId: target }),
    };
}

/** The subscriptions of a connection that get a delivery. */
export function subscribersOf(connection: Connection, { event, to, skip }: Delivery): Subscription[] {
    if (event !== 'update' && event !== 'ephemeral' && event !== 'resync') return [];
    return (connection.subscriptions ?? []).filter(
        (subscription) => !subscription.joining && receives(scopedTo(connection, subscription), to, skip),
    );
}

/** A subscription has caught up, if it is still there: from now on it gets what comes. */
export function joinSubscription(host: SocketHost, socket: WebSocket, id: AckId): void {
    const connection = host.stateOf(socket) as Connection;
    const subscriptions = connection.subscriptions?.map((one) => {
        const { joining: _, ...joined } = one;
        return one.id === id ? joined : one;
    });
    host.setState(socket, { ...connection, subscriptions });
}

/**
 * Made sure of once a hub has answered: one that cannot reach the socket's gateway greets nobody there.
 * @throws for what would wait for ever; its socket is closed then, and comes back
 */
export function assertJoined({ readyState }: WebSocket, begun: { joining?: true }[]): void {
    if (readyState === WebSocket.OPEN && begun.some(({ joining }) => joining))
        throw new Error('Not greeted by the hub');
}
