import { TRPCError, callTRPCProcedure, getErrorShape, getTRPCErrorFromUnknown } from '@trpc/server';
import type { TRPCClientOutgoingMessage } from '@trpc/server/rpc';
import { parseTRPCMessage } from '@trpc/server/rpc';
import type { Actor } from '@/auth/auth';
import type { Context } from '@/context';
import { ServiceError, describeForLog, toPublicError } from '@/errors';
import { refusalOf, selectScope } from '@/realtime/admit';
import type { Connection, Handshake } from '@/realtime/connection';
import type { FrameScope } from '@/realtime/frame-scope';
import type { AckId, Incoming } from '@/realtime/protocol/codec';
import { errorFrame } from '@/realtime/protocol/trpc';
import { send } from '@/realtime/socket-host';
import type { Beginning, Subscription } from '@/realtime/subscriptions';
import { MAX_SUBSCRIPTIONS, assertJoined } from '@/realtime/subscriptions';
import { appRouter } from '@/routers';
import { UpdatesInput } from '@/routers/realtime/schema';
import { handshakeOf, readEventId } from '@/routers/realtime/updates';
import { MAX_BATCH } from '@/trpc';

const config = appRouter._def._config;
const SUBSCRIBABLE = 'realtime.updates';
const MAX_ID = 64;
/** Most that one frame may ask for, whatever comes of it: each is answered, and a megabyte of nothing would be for long. */
const MAX_MESSAGES = 1_000;

type Request = Exclude<TRPCClientOutgoingMessage, { method: 'subscription.stop' }> & { id: AckId };

/** A subscription that has its place in the socket's attachment, and what it wants. */
interface Claim extends Beginning {
    request: Request;
    handshake: Handshake;
}

/** A frame's, with what its calls get. */
interface CallScope extends FrameScope {
    ctx: Context;
}

/** Handles a frame of an authenticated `wsLink` socket: calls of any procedure, and subscriptions (contract 8). */
export async function handleTrpcFrame(frameScope: FrameScope, frame: Incoming): Promise<void> {
    const { socket } = frameScope;
    if (frame.kind === 'ping') return send(socket, 'PONG');
    // A socket that came with a ticket has no use for connectionParams.
    if (frame.kind === 'auth') return;
    if (frame.kind !== 'event') return send(socket, errorFrame(null, malformed()));
    const messages = Array.isArray(frame.data) ? (frame.data as unknown[]) : [frame.data];
    if (messages.length > MAX_MESSAGES) return send(socket, errorFrame(null, malformed()));
    const scope = { ...frameScope, ctx: contextOf(frameScope) };
    const calls: Promise<void>[] = [];
    const claims: Claim[] = [];
    for (const raw of messages) {
        const message = read(raw);
        if (!message) send(socket, errorFrame(readId(raw), malformed()));
        else if (message.method === 'subscription.stop') stop(scope, message.id);
        else if (message.method === 'subscription') claims.push(...claim(scope, message));
        else calls.push(call(scope, message, calls.length));
    }
    await Promise.all([...calls, begin(scope, claims)]);
}

async function call(scope: CallScope, request: Request, batchIndex: number): Promise<void> {
    const { id, method: type, params } = request;
    const { path, input } = params;
    try {
        if (batchIndex >= MAX_BATCH) {
            throw new ServiceError('VALIDATION_FAILED', `Too many calls at once: at most ${MAX_BATCH} in a message`);
        }
        const { ctx } = scope;
        const { signal } = new AbortController();
        const getRawInput = async () => input;
        const data = await callTRPCProcedure({ router: appRouter, path, type, ctx, getRawInput, signal, batchIndex });
        send(scope.socket, JSON.stringify({ id, result: { type: 'data', data } }));
    } catch (error) {
        fail(scope, request, error);
    }
}

/** Answers a request with what went wrong, as the procedures' own door does. */
function fail(scope: CallScope, { id, method: type, params: { path, input } }: Request, thrown: unknown): void {
    const error = getTRPCErrorFromUnknown(thrown);
    const { ctx } = scope;
    if (toPublicError(error).status >= 500) ctx.log.error('procedure failed', { error: describeForLog(error) });
    const shape = getErrorShape({ config, error, type, path, input, ctx });
    send(scope.socket, JSON.stringify({ id, error: shape }));
}

/** Keeps a place for a subscription in the socket's attachment, before the database is asked: so all of a frame count. */
function claim(callScope: CallScope, request: Request): Claim[] {
    const { socket, host } = callScope;
    const { id, params } = request;
    try {
        if (params.path !== SUBSCRIBABLE) {
            throw new ServiceError('NOT_FOUND', `No subscription found on path "${params.path.slice(0, MAX_ID)}"`);
        }
        const { lastEventId: last, input } = params;
        const wanted = last === undefined ? input : { ...(input as object | undefined), lastEventId: last };
        const { data, error: cause } = UpdatesInput.safeParse(wanted);
        if (cause) throw new TRPCError({ code: 'BAD_REQUEST', cause });
        const { scope: kind, id: named, lastEventId } = data;
        const connection = host.stateOf(socket) as Connection;
        const known = connection.subscriptions ?? [];
        if (known.some((other) => other.id === id)) throw new ServiceError('VALIDATION_FAILED', `Duplicate id ${id}`);
        if (known.length >= MAX_SUBSCRIPTIONS) {
            throw new ServiceError(
                'RATE_LIMITED',
                `Too many subscriptions on one socket: at most ${MAX_SUBSCRIPTIONS}`,
            );
        }
        const lastSeq = lastEventId == null ? undefined : readEventId(lastEventId);
        // Without a scope it follows what its connection is there for.
        const { clientType, sessionId, machineId } = connection;
        const scope = kind ?? (clientType.replace('-scoped', '') as Subscription['scope']);
        const target = named ?? (kind == null ? (sessionId ?? machineId) : undefined);
        const subscription: Subscription = { id, scope, ...(target !== undefined && { target }), joining: true };
        host.setState(socket, { ...connection, subscriptions: [...known, subscription] });
        return [{ request, handshake: handshakeOf(scope, target, lastSeq), subscription, lastSeq }];
    } catch (error) {
        fail(callScope, request, error);
        return [];
    }
}

/** Brings the subscriptions of a frame up to date; from then on the fan-out serves them. */
async function begin(scope: CallScope, claims: Claim[]): Promise<void> {
    if (claims.length === 0) return;
    const { services, connection, room, socket, host } = scope;
    try {
        const [row] = await selectScope(services.db, connection, ...claims.map(({ handshake }) => handshake));
        const allowed = claims.filter(({ request, handshake }) => {
            const refusal = refusalOf(row, handshake);
            if (!refusal) return true;
            forget(scope, request.id);
            fail(scope, request, new ServiceError(row ? 'NOT_FOUND' : 'UNAUTHORIZED', refusal.reason));
            return false;
        });
        const beginnings = allowed.map(({ subscription, lastSeq }) => ({ subscription, lastSeq }));
        await room.follow(connection, beginnings, row?.seq ?? 0);
        assertJoined(socket, (host.stateOf(socket) as Connection).subscriptions ?? []);
    } catch (error) {
        // Not the subscriptions' fault: the socket closes, and its client comes back with where each of them was.
        send(socket, errorFrame(null, error));
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
