import type { ClientType, Connection } from '@/realtime/connection';

/** Connection statistics of an account (source document, GET /v1/websocket/stats); `oldestConnection` is Unix ms. */
export interface ConnectionStats {
    totalConnections: number;
    byType: Record<ClientType, number>;
    activeSessions: number;
    activeMachines: number;
    oldestConnection: number | null;
}

/** Counts an account's sockets. */
export function summarize(connections: Connection[]): ConnectionStats {
    const ofType = (type: ClientType) => connections.filter(({ clientType }) => clientType === type);
    const distinct = (ids: (string | undefined)[]) => new Set(ids).size;
    return {
        totalConnections: connections.length,
        byType: {
            'user-scoped': ofType('user-scoped').length,
            'session-scoped': ofType('session-scoped').length,
            'machine-scoped': ofType('machine-scoped').length,
        },
        activeSessions: distinct(ofType('session-scoped').map(({ sessionId }) => sessionId)),
        activeMachines: distinct(ofType('machine-scoped').map(({ machineId }) => machineId)),
        oldestConnection:
            connections.length > 0 ? Math.min(...connections.map(({ connectedAt }) => connectedAt)) : null,
    };
}
