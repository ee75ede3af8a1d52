import { DurableObject } from 'cloudflare:workers';
import type { ServiceContext } from '@/context';
import { createServiceContext } from '@/context';
import type { Env } from '@/env';
import { loadConfig } from '@/env';
import { describeForLog } from '@/errors';
import { HANDSHAKE_HEADER, readInternalHeader } from '@/realtime/admission';
import { createAlarms } from '@/realtime/alarms';
import { authenticate } from '@/realtime/authenticate';
import type { Connection, HandshakeParts, Refusal } from '@/realtime/connection';
import { CLOSE } from '@/realtime/connection';
import type { Delivery } from '@/realtime/fan-out';
import { endSocket, fanOut } from '@/realtime/fan-out';
import { acknowledge, failureOf, handleFrame } from '@/realtime/frames';
import { wireOfGateway } from '@/realtime/gateway-name';
import { createKeepAlive } from '@/realtime/keep-alive';
import type { KeepAlive } from '@/realtime/keep-alive';
import { readOwnName } from '@/realtime/own-name';
import type { OutgoingEvent } from '@/realtime/peers';
import type { AckId, Incoming } from '@/realtime/protocol/codec';
import { CODECS } from '@/realtime/protocol';
import { createRegisteredAccounts } from '@/realtime/registered-accounts';
import { createRejectedTokens } from '@/realtime/rejected-tokens';
import type { Revocation } from '@/realtime/revocations';
import { isRevoked } from '@/realtime/revocations';
import type { Room } from '@/realtime/room';
import { newestHolder, registeredAt } from '@/realtime/rpc';
import type { PendingSocket } from '@/realtime/socket-host';
import { closeQuietly, createSocketHost, isPending, send } from '@/realtime/socket-host';
import { assertJoined, joinSubscription } from '@/realtime/subscriptions';
import { createLogger } from '@/utils/logger';

/** Most sockets of one gateway: the runtime ends at 32,768, and what is kept of each has to fit into its memory. */
const MAX_SOCKETS = 10_000;

/**
 * Hosts sockets that cannot say at their upgrade whose they are (contract 6, 7). It authenticates them by their first
 * message, runs the same handlers as the hub, and takes deliveries from the hubs of its sockets' accounts; no hub is
 * touched before a token has proved good.
 */
export class SocketGateway extends DurableObject<Env> {
    private readonly logger = createLogger({ object: 'gateway' }, this.env.LOG_LEVEL);
    private readonly name = readOwnName(this.ctx);
    private readonly alarms = createAlarms<'auth' | 'ping' | 'report'>(this.ctx.storage, () => Date.now());
    private readonly host = createSocketHost(
        this.ctx,
        (socket, frame) => this.handle(socket, frame),
        (error) => this.failed('frame', error),
    );

    private readonly wire = wireOfGateway(this.name);
    private readonly keepAlive = this.keepAliveOf(CODECS[this.wire].serverPing);
    private readonly rejected = createRejectedTokens(this.ctx.storage, () => Date.now());
    /** Sockets, those that closed since the last count included. */
    private sockets = this.ctx.getWebSockets().length;

    private readonly registered = createRegisteredAccounts({
        storage: this.ctx.storage,
        isHere: (accountId) => this.connections(accountId).length > 0,
        tell: (accountId) => this.hubOf(accountId).reconcile(this.name),
        setDue: (at) => this.alarms.set('report', at),
        onError: (error) => this.failed('telling a hub of lost sockets', error),
    });
    /** What each socket was asked last: its hub asks again when it has heard no answer. */
    private readonly asked = new WeakMap<WebSocket, AckId>();

    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, env);
        ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(...CODECS[this.wire].autoResponse));
        // Sockets outlive a sleep, but not a crash: where none are left, the hubs of those there were are told.
        if (this.sockets === 0) ctx.waitUntil(this.registered.reportLost());
    }

    private keepAliveOf(ping: string | null): KeepAlive | undefined {
        if (ping === null) return undefined;
        return createKeepAlive({
            ctx: this.ctx,
            host: this.host,
            ping,
            due: () => this.alarms.get('ping'),
            setDue: (at) => this.alarms.set('ping', at),
            onDead: (socket) => {
                this.host.close(socket, CLOSE.goingAway, 'Ping timeout');
                // Nobody is there to finish the closing.
                this.ctx.waitUntil(this.closed(socket, CLOSE.goingAway));
            },
            now: () => Date.now(),
        });
    }

    private async services(): Promise<ServiceContext> {
        const config = await loadConfig(this.env);
        return createServiceContext(this.env, {
            config,
            log: this.logger,
            waitUntil: (work) => this.ctx.waitUntil(work),
        });
    }

    /** Takes a socket that will authenticate by message (`http/upgrade.ts`, `http/engine-io.ts`); without one, it is full. */
    override async fetch(request: Request): Promise<Response> {
        if (this.sockets >= MAX_SOCKETS) this.sockets = this.ctx.getWebSockets().length;
        if (this.sockets >= MAX_SOCKETS) return new Response(null, { status: 503 });
        this.sockets += 1;
        const parts = readInternalHeader(request, HANDSHAKE_HEADER) as HandshakeParts;
        const { wire } = this;
        const pendingUntil = Date.now() + CODECS[wire].authWithinMs;
        const { response } = this.host.accept({ v: 1, wire, pendingUntil, parts });
        this.keepAlive?.opened();
        if (this.alarms.get('auth') === null) this.alarms.set('auth', pendingUntil);
        return response;
    }

    override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
        this.keepAlive?.rideAlong();
        await this.host.receive(socket, message);
    }

    override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
        await this.closed(socket, code);
    }

    override async webSocketError(socket: WebSocket): Promise<void> {
        await this.closed(socket, 1006);
    }

    private async handle(socket: WebSocket, frame: Incoming): Promise<void> {
        const services = await this.services();
        const state = this.host.stateOf(socket);
        if (isPending(state)) return this.authenticate(services, socket, state, frame);
        const room = this.roomOf(state.accountId);
        await handleFrame({ socket, connection: state, host: this.host, room, services }, frame);
    }

    private failed(what: string, error: unknown): void {
        this.logger.error(`${what} failed`, { error: describeForLog(error) });
    }

    /** The first message that is no ping says whose the socket is; for whatever else it says the socket is closed. */
    private async authenticate(
        services: ServiceContext,
        socket: WebSocket,
        pending: PendingSocket,
        frame: Incoming,
    ): Promise<void> {
        if (frame.kind === 'ping') return send(socket, CODECS[this.wire].pong(services.now()));
        const admission = await authenticate(services, this.rejected, pending, frame);
        if ('code' in admission) return this.refuse(socket, frame, admission);
        // It took too long, or left meanwhile.
        if (socket.readyState !== WebSocket.OPEN) return;

        // Known before the hub hears of it: the hub has something for it at once.
        const { connection } = admission;
        this.host.setState(socket, { ...connection, joining: true });
        this.registered.add(connection.accountId);
        const refusal = await this.hubOf(connection.accountId).attach(this.name, admission);
        if (refusal) return this.refuse(socket, frame, refusal);
        assertJoined(socket, [this.host.stateOf(socket) as Connection]);
        acknowledge({ host: this.host, socket }, frame);
    }

    private refuse(socket: WebSocket, frame: Incoming, refusal: Refusal): void {
        const event = frame.kind === 'event' ? frame.event : '';
        acknowledge({ host: this.host, socket }, frame, failureOf(event, refusal.reason));
        send(socket, CODECS[this.wire].refusal(refusal, Date.now()));
        this.host.close(socket, refusal.code, refusal.reason);
    }

    private async closed(socket: WebSocket, code: number): Promise<void> {
        closeQuietly(socket, code);
        await this.host.drained(socket);
        const state = this.host.stateOf(socket);
        if (isPending(state)) return;
        await twice(() => this.hubOf(state.accountId).detach(state.id));
        if (this.connections(state.accountId).length === 0) this.registered.remove(state.accountId);
    }

    override async alarm(): Promise<void> {
        const tasks = {
            auth: () => this.closeSilent(),
            ping: () => this.keepAlive?.round(),
            report: () => this.registered.reportLost(),
        };
        await this.alarms.ring(tasks, (name, error) => this.failed(name, error));
    }

    private closeSilent(): void {
        const pending = [...this.host.sockets()].flatMap(([socket, state]) =>
            isPending(state) ? [{ socket, state }] : [],
        );
        const late = pending.filter(({ state }) => state.pendingUntil <= Date.now());
        for (const { socket } of late) this.host.close(socket, CLOSE.authFailed, 'Authentication timeout');
        const waiting = pending.filter((one) => !late.includes(one)).map(({ state }) => state.pendingUntil);
        this.alarms.set('auth', waiting.length > 0 ? Math.min(...waiting) : null);
    }

    // What hubs ask for

    /** Sends an account's events to its sockets here, and tells how many these are. */
    deliver(accountId: string, deliveries: Delivery[]): number {
        this.keepAlive?.rideAlong();
        fanOut(this.host, accountId, deliveries, Date.now());
        return this.connections(accountId).length;
    }

    /** Sends events to one socket, in order; no call twice, for nobody is to do a thing twice. */
    sendEvents(connectionId: string, events: OutgoingEvent[]): void {
        const socket = this.host.find(connectionId);
        if (!socket) return;
        for (const { event, data, ackId } of events) {
            if (event === 'rpc-request' && ackId !== undefined) {
                if (this.asked.get(socket) === ackId) continue;
                this.asked.set(socket, ackId);
            }
            this.host.sendEvent(socket, event, data, ackId);
        }
    }

    /** The hub has welcomed a socket, or a subscription of it: from now on it gets what comes. */
    joined(connectionId: string, subscription?: AckId): void {
        const socket = this.host.find(connectionId);
        if (!socket) return;
        if (subscription !== undefined) return joinSubscription(this.host, socket, subscription);
        const { joining: _, ...connection } = this.host.stateOf(socket) as Connection;
        this.host.setState(socket, connection);
    }

    sendAck(connectionId: string, ackId: AckId, value: unknown): void {
        const socket = this.host.find(connectionId);
        if (socket) this.host.sendAck(socket, ackId, value);
    }

    /** The socket here that registered a method last, and when (Unix ms). */
    rpcHolder(accountId: string, method: string): { id: string; at: number } | null {
        const holder = newestHolder(
            this.connections(accountId).map((connection) => ({
                id: connection.id,
                at: registeredAt(connection, method),
            })),
        );
        return holder?.at === undefined ? null : { id: holder.id, at: holder.at };
    }

    isAppActive(accountId: string): boolean {
        return this.connections(accountId).some(({ appActive }) => appActive === true);
    }

    /** Closes the sockets of ended tokens. */
    revoke(accountId: string, revocation: Revocation): void {
        for (const [socket, connection] of this.host.socketsOf(accountId)) {
            if (isRevoked(connection, revocation)) endSocket(this.host, socket, connection);
        }
    }

    /**
     * Closes an account's sockets that its hub does not know, to be admitted anew: nothing reaches them, and their tokens
     * may have ended meanwhile. Tells the ids of those that are left.
     */
    reconcile(accountId: string, known: string[]): string[] {
        for (const [socket, { id, joining }] of this.host.socketsOf(accountId)) {
            if (!joining && !known.includes(id)) this.host.close(socket, CLOSE.serviceRestart, 'Service restart');
        }
        return this.connections(accountId).map(({ id }) => id);
    }

    /** Every open socket of an account here. */
    private connections(accountId: string): Connection[] {
        return [...this.host.socketsOf(accountId)].map(([, connection]) => connection);
    }

    // The hubs of its sockets' accounts

    private hubOf(accountId: string) {
        return this.env.ACCOUNT_HUB.getByName(accountId);
    }

    private roomOf(accountId: string): Room {
        const hub = this.hubOf(accountId);
        return {
            callRpc: async (caller, ackId, method, params) => hub.callRpc(caller, ackId, method, params, this.name),
            cancelRpc: async (callerId, ackId) => twice(() => hub.cancelRpc(callerId, ackId)),
            answerRpc: async (targetId, callId, answer) => twice(() => hub.answerRpc(targetId, callId, answer)),
            // The hub looks for the targets of waiting calls by itself, so that 17 registrations do not wake it.
            rpcRegistered: () => undefined,
            follow: async (connection, beginnings, seq) => hub.follow(connection, beginnings, seq),
            missedUpdates: async (connection, seq) => hub.missedUpdates(connection, seq, this.name),
            relay: async (senderId, data) => hub.relay(senderId, data),
            announce: async (ephemerals, seq) => hub.announce(ephemerals, seq),
        };
    }
}

/** Calls a hub again if it could not be reached, for calls that may come twice. */
async function twice(call: () => Promise<unknown>): Promise<void> {
    await call().catch(call);
}
