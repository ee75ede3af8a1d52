import { callTRPCProcedure, getErrorShape, getTRPCErrorFromUnknown } from '@trpc/server';
import type { TRPCClientOutgoingMessage } from '@trpc/server/rpc';
import { parseTRPCMessage } from '@trpc/server/rpc';
import type { Actor } from '@/auth/auth';
import type { Context } from '@/context';
import { ServiceError, describeForLog, toPublicError } from '@/errors';
import { refusalOf, selectScope } from '@/realtime/admit';
import type { Connection } from '@/realtime/connection';
import type { FrameScope } from '@/realtime/frame-scope';
import type { AckId, Incoming } from '@/realtime/protocol/codec';
import { TRPC_REQUEST, errorFrame } from '@/realtime/protocol/trpc';
import { send } from '@/realtime/socket-host';
import type { Subscription } from '@/realtime/subscriptions';
import { MAX_SUBSCRIPTIONS } from '@/realtime/subscriptions';
import { appRouter } from '@/routers';
import { UpdatesInput } from '@/routers/realtime/schema';
import { handshakeOf, readEventId } from '@/routers/realtime/updates';
import { MAX_BATCH } from '@/trpc';

const config = appRouter._def._config;
const SUBSCRIBABLE = 'realtime.updates';
const MAX_ID = 64;

type Request = Exclude<TRPCClientOutgoingMessage, { method: 'subscription.stop' }>;

/** Handles a frame of an authenticated `wsLink` socket: calls of any procedure, and subscriptions (contract 8). */
export async function handleTrpcFrame(scope: FrameScope, frame: Incoming): Promise<void> {
    if (frame.kind === 'ping') return send(scope.socket, 'PONG');
    if (frame.kind !== 'event') return send(scope.socket, errorFrame(null, malformed()));
    // A socket that came with a ticket has no use for connectionParams.
    if (frame.event !== TRPC_REQUEST) return;
    const messages: unknown[] = Array.isArray(frame.data) ? frame.data : [frame.data];
    await Promise.all(messages.map((message, index) => handleMessage(scope, message, index)));
}

async function handleMessage(scope: FrameScope, raw: unknown, index: number): Promise<void> {
    const { socket } = scope;
    const message = read(raw);
    if (!message) return send(socket, errorFrame(readId(raw), malformed()));
    const { id } = message;
    if (message.method === 'subscription.stop') return stop(scope, id);
    const context = contextOf(scope);
    try {
        if (index >= MAX_BATCH) throw new ServiceError('VALIDATION_FAILED', 'Batch call exceeds maximum size');
        if (message.method === 'subscription') await subscribe(scope, id, message.params);
        else send(socket, JSON.stringify({ id, result: { type: 'data', data: await call(context, message, index) } }));
    } catch (thrown) {
        const error = getTRPCErrorFromUnknown(thrown);
        const { path, input } = message.params;
        if (toPublicError(error).status >= 500) {
            scope.services.log.error('procedure failed', { error: describeForLog(error) });
        }
        const shape = getErrorShape({ config, error, type: message.method, path, input, ctx: context });
        send(socket, JSON.stringify({ id, error: shape }));
    }
}

function call(ctx: Context, { method, params: { path, input } }: Request, batchIndex: number): Promise<unknown> {
    const signal = new AbortController().signal;
    return callTRPCProcedure({
        router: appRouter,
        path,
        type: method,
        ctx,
        getRawInput: async () => input,
        signal,
        batchIndex,
    });
}

/** Keeps a subscription in the socket's attachment and brings it up to date; from then on the fan-out serves it. */
async function subscribe(scope: FrameScope, id: AckId, params: Request['params']): Promise<void> {
    const { socket, host, room, services } = scope;
    const current = () => host.stateOf(socket) as Connection;
    if (params.path !== SUBSCRIBABLE) {
        throw new ServiceError('NOT_FOUND', `No subscription found on path "${params.path.slice(0, MAX_ID)}"`);
    }
    const { lastEventId: last } = params;
    const {
        scope: kind = 'user',
        id: target,
        lastEventId,
    } = UpdatesInput.parse(
        last === undefined ? params.input : { ...(params.input as object | undefined), lastEventId: last },
    );
    const known = current().subscriptions ?? [];
    if (known.some((other) => other.id === id)) throw new ServiceError('VALIDATION_FAILED', `Duplicate id ${id}`);
    if (known.length >= MAX_SUBSCRIPTIONS) {
        throw new ServiceError('RATE_LIMITED', `Too many subscriptions on one socket: at most ${MAX_SUBSCRIPTIONS}`);
    }
    const lastSeq = lastEventId == null ? undefined : readEventId(lastEventId);
    const handshake = handshakeOf(kind ?? 'user', target ?? undefined, lastSeq);
    const subscription: Subscription = { id, scope: kind ?? 'user', ...(target != null && { target }), joining: true };
    // Before the database is asked, so that those of one batch count, too.
    host.setState(socket, { ...current(), subscriptions: [...known, subscription] });
    try {
        const [row] = await selectScope(services.db, scope.connection, handshake);
        const refusal = refusalOf(row, handshake);
        if (refusal) throw new ServiceError(row ? 'NOT_FOUND' : 'UNAUTHORIZED', refusal.reason);
        send(socket, JSON.stringify({ id, result: { type: 'started' } }));
        await room.follow(scope.connection, subscription, row?.seq ?? 0, lastSeq);
    } catch (error) {
        forget(scope, id);
        throw error;
    }
}

function stop(scope: FrameScope, id: AckId): void {
    if (forget(scope, id)) send(scope.socket, JSON.stringify({ id, result: { type: 'stopped' } }));
}

function forget({ host, socket }: FrameScope, id: AckId): boolean {
    const connection = host.stateOf(socket) as Connection;
    const left = (connection.subscriptions ?? []).filter((one) => one.id !== id);
    if (left.length === connection.subscriptions?.length) return false;
    host.setState(socket, { ...connection, subscriptions: left });
    return true;
}

/** What procedures get over a socket: its own caller, whoever that token is. */
function contextOf({ services, connection }: FrameScope): Context {
    const { accountId, tokenId, issuedAt, extras = {}, origin = '' } = connection;
    const actor: Actor = { accountId, tokenId, issuedAt, extras, token: '' };
    return {
        ...services,
        origin,
        // The token itself is not known here any more.
        auth: { ...services.auth, invalidateToken: () => services.auth.invalidateUserTokens(accountId) },
        requestId: services.newId(),
        withinAuthLimit: (share = 'socket') => services.withinAuthLimitOf(`${share}:${accountId}`),
        authenticate: async () => actor,
    };
}

function read(raw: unknown): (TRPCClientOutgoingMessage & { id: AckId }) | undefined {
    try {
        const message = parseTRPCMessage(raw, config.transformer);
        const id = readId(raw);
        return id === null ? undefined : { ...message, id };
    } catch {
        return undefined;
    }
}

function readId(raw: unknown): AckId | null {
    const { id } = (raw ?? {}) as { id?: unknown };
    if (typeof id === 'number' && Number.isSafeInteger(id)) return id;
    return typeof id === 'string' && id.length <= MAX_ID ? id : null;
}

function malformed(): ServiceError {
    return new ServiceError('VALIDATION_FAILED', 'Malformed message');
}
