import * as z from 'zod';
import { describeForLog, toPublicError } from '@/errors';
import { SOCKET_EVENTS } from '@/realtime/events';
import { InvalidParameters, okFalse, resultError, successFalse } from '@/realtime/events/socket-event';
import type { FrameScope } from '@/realtime/frame-scope';
import { takeHeartbeat } from '@/realtime/frames-heartbeat';
import { keepMethod } from '@/realtime/frames-rpc';
import { handleTrpcFrame } from '@/realtime/frames-trpc';
import type { Incoming } from '@/realtime/protocol/codec';
import { CODECS } from '@/realtime/protocol';
import { getMachineId, getSessionId } from '@/realtime/protocol/ids';
import { send } from '@/realtime/socket-host';
import { Id, MAX_JSON_DEPTH, isDeeperThan, text } from '@/utils/schema';

const Call = z.object({ method: text(256, 1), params: z.unknown().optional() });
const Cancel = z.object({ requestId: z.union([z.string(), z.int()]) });
const Since = z.object({ seq: z.int().min(0) });
/** The older form asks per object, which the log cannot answer. */
const SinceByObject = z.object({ sessions: z.unknown(), machines: z.unknown(), artifacts: z.unknown() }).partial();
const AppState = z.object({ state: z.string().max(64) });
const SessionBeat = z.object({ sid: Id, time: z.number().nullish(), thinking: z.boolean().nullish() });
const MachineBeat = z.object({ machineId: Id, time: z.number().nullish() });

type Frame = Extract<Incoming, { kind: 'event' }>;

/** What is nested without end passes no further than here: codecs and calls between objects would fail on it. */
const NESTED = { code: 'INVALID_FRAME', message: 'Nested too deep' };

const UNKNOWN_EVENT = resultError('Unknown event');

/** No acknowledgement now: the answer comes later. */
const LATER = Symbol('later');

/** Handles a frame of an authenticated socket, and acknowledges it if it asks for that, also on error (contract 6). */
export async function handleFrame(scope: FrameScope, frame: Incoming): Promise<void> {
    const { socket, connection, host, room } = scope;
    if (connection.wire === 'trpc') return handleTrpcFrame(scope, frame);
    switch (frame.kind) {
        case 'invalid':
            return host.sendEvent(socket, 'error', { code: 'INVALID_FRAME', message: frame.message });
        case 'ping':
            return send(socket, CODECS[connection.wire].pong(scope.services.now()));
        case 'leave':
            return host.close(socket, 1000, '');
        case 'answer':
            if (isDeeperThan(MAX_JSON_DEPTH, frame.answer)) return host.sendEvent(socket, 'error', NESTED);
            return room.answerRpc(connection.id, String(frame.ackId), frame.answer);
        case 'auth':
            // Whose it is has been said; no more than any event that nobody knows.
            return acknowledge(scope, frame, UNKNOWN_EVENT);
        case 'event': {
            const ack = await runEvent(scope, frame);
            if (ack !== LATER) acknowledge(scope, frame, ack);
        }
    }
}

/** Acknowledges a frame that asks for it: by what its event is answered with, if anything. */
export function acknowledge(
    { host, socket }: Pick<FrameScope, 'host' | 'socket'>,
    frame: Incoming,
    ack?: unknown,
): void {
    if ((frame.kind === 'event' || frame.kind === 'auth') && frame.ackId !== undefined)
        host.sendAck(socket, frame.ackId, ack ?? { result: 'success' });
}

/** What an event that failed is acknowledged with. */
export function failureOf(event: string, message: string): unknown {
    return (SOCKET_EVENTS.get(event)?.failure ?? FAILURES.get(event) ?? resultError)(message);
}

async function runEvent(scope: FrameScope, frame: Frame): Promise<unknown> {
    const builtIn = BUILT_IN.get(frame.event);
    const event = SOCKET_EVENTS.get(frame.event);
    if (!builtIn && !event) return UNKNOWN_EVENT;
    try {
        if (isDeeperThan(MAX_JSON_DEPTH, frame.data)) throw new InvalidParameters(NESTED.message);
        if (builtIn) return await builtIn(scope, frame.data, frame);
        return await event?.run(eventContext(scope), frame.data);
    } catch (error) {
        if (!(error instanceof InvalidParameters) && toPublicError(error).status >= 500) {
            scope.services.log.error('event failed', { event: frame.event, error: describeForLog(error) });
        }
        const message = error instanceof InvalidParameters ? error.message : toPublicError(error).message;
        return failureOf(frame.event, message);
    }
}

function eventContext({ services, connection }: FrameScope) {
    const { accountId, tokenId, issuedAt } = connection;
    return { ...services, connection, actor: { accountId, tokenId, issuedAt, token: '', extras: {} } };
}

type BuiltIn = (scope: FrameScope, data: unknown, frame: Frame) => unknown;

/** Events that concern the socket itself or the other sockets of its account. */
const BUILT_IN: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
    // A ping that asks for an acknowledgement gets both.
    ['ping', ({ socket, connection, services }) => send(socket, CODECS[connection.wire].pong(services.now()))],
    [
        'session-alive',
        (scope, data) => {
            const beat = parse(SessionBeat, data);
            const { time, thinking } = beat;
            const now = scope.services.now();
            return takeHeartbeat(scope, {
                kind: 'session',
                id: getSessionId(beat),
                time: time ?? now,
                thinking: thinking ?? false,
            });
        },
    ],
    [
        'machine-alive',
        (scope, data) => {
            const beat = parse(MachineBeat, data);
            const time = beat.time ?? scope.services.now();
            return takeHeartbeat(scope, { kind: 'machine', id: getMachineId(beat), time, thinking: false });
        },
    ],
    [
        'app-state',
        ({ host, socket, connection }, data) => {
            const { state } = parse(AppState, data);
            const appActive = connection.clientType === 'user-scoped' && state === 'active';
            if (appActive !== (connection.appActive ?? false)) host.setState(socket, { ...connection, appActive });
        },
    ],
    ['rpc-register', async (scope, data) => scope.room.rpcRegistered(keepMethod(scope, data, 'register'))],
    ['rpc-unregister', (scope, data) => void keepMethod(scope, data, 'unregister')],
    [
        'rpc-call',
        async ({ room, connection }, data, { ackId }) => {
            const call = Call.safeParse(data);
            if (!call.success) throw new InvalidParameters('Invalid parameters: method is required');
            await room.callRpc(connection, ackId ?? null, call.data.method, call.data.params);
            return LATER;
        },
    ],
    ['rpc-cancel', async ({ room, connection }, data) => room.cancelRpc(connection.id, parse(Cancel, data).requestId)],
    [
        'request-updates-since',
        async ({ room, connection }, data) => {
            const since = Since.safeParse(data);
            if (!since.success) {
                parse(SinceByObject, data);
                return { success: false, error: 'resync-required' };
            }
            const missed = await room.missedUpdates(connection, since.data.seq);
            const { update } = CODECS[connection.wire];
            if (!missed.success || !update) return missed;
            return { ...missed, updates: missed.updates.flatMap((one) => update(one) ?? []) };
        },
    ],
    ['broadcast', async ({ room, connection }, data) => room.relay(connection.id, data)],
]);

/** How these say that they failed; the others say `{result:'error', message}`. */
const FAILURES: ReadonlyMap<string, (message: string) => unknown> = new Map<string, (message: string) => unknown>([
    ['rpc-call', okFalse],
    ['request-updates-since', successFalse],
]);

function parse<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> {
    const parsed = schema.safeParse(data);
    if (!parsed.success) throw new InvalidParameters('Invalid parameters');
    return parsed.data;
}

/** Every client event that is answered (contract 6). */
export const eventNames: readonly string[] = [...BUILT_IN.keys(), ...SOCKET_EVENTS.keys()];
