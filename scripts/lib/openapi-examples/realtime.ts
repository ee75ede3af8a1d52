import type { Examples } from './example';
import { THEN } from './example';

/** The subscription has no path in the document. */
export const realtimeExamples: Omit<Examples<'realtime'>, 'updates'> = {
    ticket: { request: {}, response: { ticket: 'eyJhIjoiY21neDRzMGFhIn0.c2lnbmF0dXJl' } },
    stats: {
        request: {},
        response: {
            totalConnections: 2,
            byType: { 'user-scoped': 1, 'session-scoped': 0, 'machine-scoped': 1 },
            activeSessions: 0,
            activeMachines: 1,
            oldestConnection: THEN,
        },
    },
    broadcast: {
        request: {
            message: { type: 'draft-changed', payload: { sessionId: 'cmgx4s0ab' } },
            filter: { type: 'user-scoped-only' },
        },
        response: { success: true, delivered: 1 },
    },
};
