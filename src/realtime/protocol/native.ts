import { CLOSE, NATIVE_PING } from '@/realtime/connection';
import type { AckId, Codec, Incoming } from '@/realtime/protocol/codec';

/** The control frames say their data twice, because the source document shows both spellings (contract 6). */
const CONTROL = new Set(['connected', 'pong', 'error', 'auth-error', 'broadcast']);

/** The answer to `NATIVE_PING`. */
export const NATIVE_PONG = '{"event":"pong","type":"pong","data":{},"payload":{}}';

/** Refusals of sockets that have authenticated. */
const WORDLESS = new Set<number>([CLOSE.connectionLimit, CLOSE.tokenRevoked]);

const MAX_ACK_ID = 128;

/** JSON frames `{event, data, ackId?, ack?}`, or in the other spelling `{type, payload, messageId?}` (contract 6). */
export const nativeCodec: Codec = {
    autoResponse: [NATIVE_PING, NATIVE_PONG],
    greeting: () => null,
    serverPing: null,
    authWithinMs: 5_000,
    decode(text): Incoming {
        const frame = parseObject(text);
        if (!frame) return invalid('Frame must be a JSON object');
        const ackId = readAckId(frame.ackId ?? frame.messageId);
        if (ackId === null) return invalid(`ackId must be a text or number of at most ${MAX_ACK_ID} characters`);
        if ('ack' in frame && ackId !== undefined) return { kind: 'answer', ackId, answer: frame.ack };

        const event = frame.event ?? frame.type;
        // Whoever asks for an acknowledgement gets one, so this is an event, though none that anybody knows.
        if (ackId !== undefined && typeof event !== 'string')
            return { kind: 'event', event: '', data: undefined, ackId };
        if (typeof event !== 'string' || event === '') return invalid('Frame must name its event');
        if (event === 'ping' && ackId === undefined) return { kind: 'ping' };
        const data = frame.data ?? frame.payload;
        const ack = ackId === undefined ? {} : { ackId };
        return event === 'auth' ? { kind: 'auth', data, ...ack } : { kind: 'event', event, data, ...ack };
    },
    event(name, data, now, ackId) {
        const payload = CONTROL.has(name) ? { payload: data } : {};
        const ack = ackId === undefined ? {} : { ackId };
        return JSON.stringify({ event: name, type: name, data, ...payload, timestamp: now, ...ack });
    },
    ack: (ackId, value) => JSON.stringify({ event: 'ack', ackId, ack: value }),
    refusal: ({ code, reason }, now) =>
        WORDLESS.has(code) ? null : nativeCodec.event('auth-error', { code, message: reason }, now),
    pong: (now) => nativeCodec.event('pong', {}, now),
};

interface Frame {
    event?: unknown;
    type?: unknown;
    data?: unknown;
    payload?: unknown;
    ackId?: unknown;
    messageId?: unknown;
    ack?: unknown;
}

function parseObject(text: string): Frame | undefined {
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    } catch {
        return undefined;
    }
}

/** Clients number their acks or name them; both come back as they were spelled. Null when it is neither. */
function readAckId(value: unknown): AckId | undefined | null {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    return typeof value === 'string' && value.length <= MAX_ACK_ID ? value : null;
}

function invalid(message: string): Incoming {
    return { kind: 'invalid', message };
}
