import type { Connection } from '@/realtime/connection';
import type { BroadcastFilter, Recipients } from '@/realtime/updates';

/**
 * Whether a socket gets an event (contract 5): user-scoped sockets get every one of their account, session- and
 * machine-scoped ones those that concern their session or machine, and the socket that caused it none that skips it.
 */
export function receives(connection: Connection, to: Recipients, skip?: string): boolean {
    if (connection.id === skip) return false;
    if (to.only) return matches(connection, to.only);
    switch (connection.clientType) {
        case 'user-scoped':
            return true;
        case 'session-scoped':
            return to.session !== undefined && to.session === connection.sessionId;
        case 'machine-scoped':
            return to.machine !== undefined && to.machine === connection.machineId;
    }
}

function matches(connection: Connection, filter: BroadcastFilter): boolean {
    switch (filter.type) {
        case 'all':
            return true;
        case 'user-scoped-only':
            return connection.clientType === 'user-scoped';
        case 'session':
            return connection.sessionId === filter.sessionId;
        case 'machine':
            return connection.machineId === filter.machineId;
        case 'exclude':
            return connection.id !== filter.connectionId;
    }
}
