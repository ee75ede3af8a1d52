import * as z from 'zod';
import type { ServiceContext } from '@/context';
import { ServiceError, describeForLog, toPublicError } from '@/errors';
import type { Connection } from '@/realtime/connection';
import { SOCKET_EVENTS } from '@/realtime/events';
import { InvalidParameters, okFalse, resultError } from '@/realtime/events/socket-event';
import { takeHeartbeat } from '@/realtime/presence';
import type { Heartbeat } from '@/realtime/presence';
import type { Incoming } from '@/realtime/protocol/codec';
import { CODECS } from '@/realtime/protocol';
import type { Room } from '@/realtime/room';
import { withMethod } from '@/realtime/rpc';
import type { SocketHost } from '@/realtime/socket-host';
import { send } from '@/realtime/socket-host';
import { Id, text } from '@/utils/schema';

/** An authenticated socket whose frame is being handled, and what it may touch. */
export interface FrameScope {
    socket: WebSocket;
    connection: Connection;
    host: SocketHost;
    room: Room;
    services: ServiceContext;
}

const Method = z.object({ method: text(256, 1) });
const Call = Method.extend({ params: z.unknown().optional() });
const Cancel = z.object({ requestId: z.union([z.string(), z.int()]) });
const Since = z.object({ seq: z.int().min(0) });
const AppState = z.object({ state: z.string().max(64) });
const SessionBeat = z.object({ sid: Id, time: z.number().nullish(), thinking: z.boolean().nullish() });
const MachineBeat = z.object({ machineId: Id, time: z.number().nullish() });

type Frame = Extract<Incoming, { kind: 'event' }>;

/** No acknowledgement now: the answer comes later. */
const LATER = Symbol('later');

/** Handles a frame of an authenticated socket, and acknowledges it if it asks for that, also on error (contract 6). */
export async function handleFrame(scope: FrameScope, frame: Incoming): Promise<void> {
    const { socket, connection, host, room } = scope;
    switch (frame.kind) {
        case 'invalid':
            return host.sendEvent(socket, 'error', { code: 'INVALID_FRAME', message: frame.message });
        case 'ping':
            return send(socket, CODECS[connection.wire].pong(scope.services.now()));
        case 'answer':
            return room.answerRpc(connection.id, String(frame.ackId), frame.answer);
        case 'event': {
            const ack = await runEvent(scope, frame);
            if (ack !== LATER && frame.ackId !== undefined) host.sendAck(socket, frame.ackId, ack ?? { result: 'success' });
        }
    }
}

async function runEvent(scope: FrameScope, frame: Frame): Promise<unknown> {
    const builtIn = BUILT_IN.get(frame.event);
    const event = SOCKET_EVENTS.get(frame.event);
    if (!builtIn && !event) return resultError('Unknown event');
    try {
        if (builtIn) return await builtIn(scope, frame.data, frame);
        return await event?.run(eventContext(scope), frame.data);
    } catch (error) {
        if (!(error instanceof InvalidParameters) && toPublicError(error).status >= 500) {
            scope.services.log.error('event failed', { event: frame.event, error: describeForLog(error) });
        }
        const message = error instanceof InvalidParameters ? error.message : toPublicError(error).message;
        return (event?.failure ?? resultError)(message);
    }
}

function eventContext({ services, connection }: FrameScope) {
    const { accountId, tokenId, issuedAt } = connection;
    return { ...services, connection, actor: { accountId, tokenId, issuedAt, token: '', extras: {} } };
}

type BuiltIn = (scope: FrameScope, data: unknown, frame: Frame) => Promise<unknown> | unknown;

/** Events that concern the socket itself or the other sockets of its account. */
const BUILT_IN: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
    ['ping', () => ({})],
    ['session-alive', (scope, data) => {
        const { sid, time, thinking } = parse(SessionBeat, data);
        return beat(scope, { kind: 'session', id: sid, time: time ?? scope.services.now(), thinking: thinking ?? false });
    }],
    ['machine-alive', (scope, data) => {
        const { machineId, time } = parse(MachineBeat, data);
        return beat(scope, { kind: 'machine', id: machineId, time: time ?? scope.services.now(), thinking: false });
    }],
    ['app-state', ({ host, socket, connection }, data) => {
        const { state } = parse(AppState, data);
        const appActive = connection.clientType === 'user-scoped' && state === 'active';
        if (appActive !== (connection.appActive ?? false)) host.setState(socket, { ...connection, appActive });
    }],
    ['rpc-register', async (scope, data) => {
        const method = readMethod(scope, 'register', data);
        if (method === undefined || !keepMethod(scope, method, scope.services.now())) return;
        scope.host.sendEvent(scope.socket, 'rpc-registered', { method });
        await scope.room.rpcRegistered(method);
    }],
    ['rpc-unregister', (scope, data) => {
        const method = readMethod(scope, 'register', data);
        if (method === undefined || !keepMethod(scope, method, null)) return;
        scope.host.sendEvent(scope.socket, 'rpc-unregistered', { method });
    }],
    ['rpc-call', async ({ room, connection }, data, { ackId }) => {
        const call = Call.safeParse(data);
        if (!call.success) return okFalse('Invalid parameters: method is required');
        await room.callRpc(connection, ackId ?? null, call.data.method, call.data.params);
        return LATER;
    }],
    ['rpc-cancel', async ({ room, connection }, data) => room.cancelRpc(connection.id, parse(Cancel, data).requestId)],
    ['request-updates-since', async ({ room, connection }, data) => {
        const since = Since.safeParse(data);
        // The older form asks per object, which the log cannot answer.
        if (!since.success) return { success: false, error: 'resync-required' };
        return room.missedUpdates(connection, since.data.seq);
    }],
    ['broadcast', async ({ room, connection }, data) => room.relay(connection.id, data)],
]);

async function beat({ host, socket, room, services, connection }: FrameScope, heartbeat: Heartbeat): Promise<void> {
    const outcome = await takeHeartbeat(services, connection, heartbeat);
    if (outcome.connection !== connection) {
        // Only the beats are this handler's; the rest of the state may have moved while the database was asked.
        host.setState(socket, { ...(host.stateOf(socket) as Connection), beats: outcome.connection.beats });
    }
    if (outcome.announce) await room.announce([outcome.announce]);
}

function readMethod({ host, socket }: FrameScope, type: 'register' | 'call', data: unknown): string | undefined {
    const parsed = Method.safeParse(data);
    if (parsed.success) return parsed.data.method;
    host.sendEvent(socket, 'rpc-error', { type, error: 'Invalid method name' });
    return undefined;
}

/** Registers or, with `at` null, unregisters a method on the socket. */
function keepMethod({ host, socket, connection }: FrameScope, method: string, at: number | null): boolean {
    const next = withMethod(connection, method, at);
    try {
        if (typeof next === 'string') throw new ServiceError('VALIDATION_FAILED', next);
        host.setState(socket, next);
        return true;
    } catch (error) {
        // Also when the attachment would pass its 16 KiB.
        const reason = error instanceof ServiceError ? error.message : 'Too many methods on this socket';
        host.sendEvent(socket, 'rpc-error', { type: 'register', error: reason });
        return false;
    }
}

function parse<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> {
    const parsed = schema.safeParse(data);
    if (!parsed.success) throw new InvalidParameters('Invalid parameters');
    return parsed.data;
}
