/** A payload that concerns a session, by whichever name the wire has for its id. */
export type SessionPayload = { sid: string } | { sessionId: string } | { id: string };

/** A payload that concerns a machine, by whichever name the wire has for its id. */
export type MachinePayload = { machineId: string } | { id: string };

/**
 * The id of the session that a payload concerns: `sid` in messages and heartbeats, `sessionId` in access keys and usage,
 * `id` in updates of the session itself. Where a payload has several, its own `id` is somebody else's and comes last.
 */
export function getSessionId(payload: SessionPayload): string {
    if ('sid' in payload) return payload.sid;
    return 'sessionId' in payload ? payload.sessionId : payload.id;
}

/** The id of the machine that a payload concerns: `machineId`, or `id` in what is the machine itself. */
export function getMachineId(payload: MachinePayload): string {
    return 'machineId' in payload ? payload.machineId : payload.id;
}
