import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import { ServiceError, toPublicError } from '@/errors';
import { CLOSE } from '@/realtime/connection';
import type { AckId, Codec, Incoming } from '@/realtime/protocol/codec';

const AUTH_WITHIN_MS = 5_000;

/**
 * tRPC's own WebSocket protocol (`wsLink`, contract 8). Events exist within subscriptions only: the `ackId` of an event
 * is the id of the subscription it belongs to, and there are no acknowledgements.
 */
export const trpcCodec: Codec = {
    autoResponse: ['PING', 'PONG'],
    greeting: () => null,
    serverPing: null,
    authWithinMs: AUTH_WITHIN_MS,
    decode(text): Incoming {
        if (text === 'PING') return { kind: 'ping' };
        const data = parse(text);
        if (data === undefined) return { kind: 'invalid', message: 'Frame must be JSON' };
        const { method, data: parameters } = data as { method?: unknown; data?: unknown };
        if (method === 'connectionParams') return { kind: 'auth', data: parameters ?? {} };
        // A request, or several as an array.
        return { kind: 'event', event: 'request', data };
    },
    event(name, data, _now, id) {
        if (id === undefined) return null;
        if (name === 'started') return JSON.stringify({ id, result: { type: name } });
        const isTracked = name === 'update' || name === 'resync' || name === 'ephemeral';
        return isTracked ? trackedFrame(id, trackedBody(name, data, (data as { seq: number }).seq)) : null;
    },
    ack: () => '',
    refusal: (refusal) => errorFrame(null, refusalError(refusal.code, refusal.reason)),
    pong: () => 'PONG',
};

/** What every subscription is sent of an event, tracked by the account's seq reached so far. */
export function trackedBody(event: string, data: unknown, seq: number): string {
    const id = JSON.stringify(String(seq));
    return `{"type":"data","id":${id},"data":{"id":${id},"data":${JSON.stringify({ event, data })}}}`;
}

/** The frame of a subscription around its body. */
export function trackedFrame(id: AckId, body: string): string {
    return `{"id":${JSON.stringify(id)},"result":${body}}`;
}

/** An error in the one shape of this door, where no procedure made it; `id` null is about the socket. */
export function errorFrame(id: AckId | null, thrown: unknown): string {
    const { code, status, trpcCode, message } = toPublicError(thrown);
    const data = { code: trpcCode, httpStatus: status, error: code };
    return JSON.stringify({ id, error: { message, code: TRPC_ERROR_CODES_BY_KEY[trpcCode], data } });
}

function refusalError(code: number, reason: string): ServiceError {
    if (code === CLOSE.authFailed || code === CLOSE.tokenRevoked) return new ServiceError('UNAUTHORIZED', reason);
    if (code === CLOSE.connectionLimit) return new ServiceError('RATE_LIMITED', 'Too many open connections');
    if (code === CLOSE.invalidHandshake) return new ServiceError('VALIDATION_FAILED', reason);
    return new ServiceError('NOT_FOUND', reason);
}

/** An object or an array; undefined for anything else. */
function parse(text: string): object | undefined {
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === 'object' && value !== null ? value : undefined;
    } catch {
        return undefined;
    }
}
