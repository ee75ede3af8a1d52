import { DurableObject } from 'cloudflare:workers';
import type { ServiceContext } from '@/context';
import { createServiceContext } from '@/context';
import type { Env } from '@/env';
import { loadConfig } from '@/env';
import { describeForLog } from '@/errors';
import { readAccountSeq } from '@/realtime/account-seq';
import type { Admission } from '@/realtime/admission';
import { ADMISSION_HEADER, readInternalHeader, refuseUpgrade } from '@/realtime/admission';
import { createAlarms } from '@/realtime/alarms';
import type { Ephemeral, UpdateBody } from '@/realtime/bodies';
import { CLOSE, MAX_CONNECTIONS, NATIVE_PING } from '@/realtime/connection';
import type { Connection, Refusal } from '@/realtime/connection';
import { endSocket, ephemeralDelivery } from '@/realtime/fan-out';
import { STREAM_SILENCE_MS } from '@/realtime/follow';
import { handleFrame } from '@/realtime/frames';
import { SILENCE_MS } from '@/realtime/heartbeat';
import { createLostGateways } from '@/realtime/lost-gateways';
import { createMachinePresence } from '@/realtime/machine-presence';
import { readOwnName } from '@/realtime/own-name';
import { createPeers } from '@/realtime/peers';
import { markMachine, sweepSilent } from '@/realtime/presence';
import type { AckId, Incoming } from '@/realtime/protocol/codec';
import { NATIVE_PONG } from '@/realtime/protocol/native';
import type { Hubs } from '@/realtime/publish';
import { receives } from '@/realtime/recipients';
import { createUpdateLog } from '@/realtime/recovery';
import type { Revocation } from '@/realtime/revocations';
import { createRecentRevocations, isRevoked } from '@/realtime/revocations';
import type { MissedUpdates, Room } from '@/realtime/room';
import { createRpcCalls } from '@/realtime/rpc';
import { createSilenceWatch } from '@/realtime/silence';
import { closeQuietly, createSocketHost } from '@/realtime/socket-host';
import type { ConnectionStats } from '@/realtime/stats';
import { summarize } from '@/realtime/stats';
import type { Beginning } from '@/realtime/subscriptions';
import { createSwitchboard } from '@/realtime/switchboard';
import { createUpdateStream } from '@/realtime/update-stream';
import type { AddressedEphemeral, AddressedUpdate, BroadcastFilter, Publication } from '@/realtime/updates';
import { createLogger } from '@/utils/logger';

/** How often a gateway that could not be reached is looked for, in ms. */
const FIND_LOST_MS = 10_000;

/**
 * The hub of one account: takes what writes have to tell, brings it into order, and delivers it to the account's
 * sockets, here and in gateways. What it must remember is in socket attachments or its SQLite; at rest it holds no
 * timer and no promise, and sleeps.
 */
export class AccountHub extends DurableObject<Env> implements Room {
    private readonly logger = createLogger({ object: 'hub' }, this.env.LOG_LEVEL);
    /** Hubs are named by their account. */
    private readonly accountId = readOwnName(this.ctx);
    private readonly log = createUpdateLog(this.ctx.storage);
    private readonly alarms = createAlarms<'gap' | 'rpc' | 'silence' | 'lost'>(this.ctx.storage, () => Date.now());
    private readonly host = createSocketHost(
        this.ctx,
        (socket, frame) => this.handle(socket, frame),
        (error) => this.failed('frame', error),
    );
    private readonly peers = createPeers({
        gateway: (name) => this.env.SOCKET_GATEWAY.getByName(name),
        log: this.logger,
        storage: this.ctx.storage,
        host: this.host,
        accountId: this.accountId,
        waitUntil: (work) => this.ctx.waitUntil(work),
        onLost: (gateway, connections) => this.gatewayLost(gateway, connections),
        onGhosts: (gateway) => this.ctx.waitUntil(this.reconcile(gateway)),
    });
    private readonly lost = createLostGateways(this.ctx.storage);
    private readonly switchboard = createSwitchboard({
        peers: this.peers,
        calls: createRpcCalls(this.ctx.storage),
        setDue: (at) => this.alarms.set('rpc', at),
        now: () => Date.now(),
    });
    private readonly ended = createRecentRevocations(() => Date.now());
    private readonly silence = createSilenceWatch({
        get: () => this.alarms.get('silence'),
        set: (at) => this.alarms.set('silence', at),
        sweep: () => this.endSilent(),
        now: () => Date.now(),
        silenceMs: SILENCE_MS,
    });
    private readonly machines = createMachinePresence({
        connections: () => this.peers.connections(),
        mark: async (machineId, online) => {
            const ephemerals = await markMachine(await this.services(), this.accountId, machineId, online);
            this.announce(ephemerals.map((ephemeral) => ({ ephemeral, to: {} })));
        },
        onError: (error) => this.failed('machine presence', error),
    });

    private readonly stream = createUpdateStream({
        log: this.log,
        peers: this.peers,
        setGapEnd: (at) => this.alarms.set('gap', at),
        // It may have been of something that is active.
        onLost: () => this.silence.expect(),
        now: () => Date.now(),
    });

    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, env);
        ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(NATIVE_PING, NATIVE_PONG));
    }

    private async services(): Promise<ServiceContext> {
        const config = await loadConfig(this.env);
        const waitUntil = (work: Promise<unknown>) => this.ctx.waitUntil(work);
        const services = createServiceContext(this.env, { config, log: this.logger, waitUntil });
        // Its own account's publications need no call out of the object and back.
        const publish: Hubs['publish'] = async (accountId, publication) =>
            accountId === this.accountId ? this.publish(publication) : services.hubs.publish(accountId, publication);
        return { ...services, hubs: { ...services.hubs, publish } };
    }

    private failed(what: string, error: unknown): void {
        this.logger.error(`${what} failed`, { error: describeForLog(error) });
    }

    // Sockets

    /** Takes a socket that the Worker has authenticated (`http/upgrade.ts`). */
    override async fetch(request: Request): Promise<Response> {
        const admission = readInternalHeader(request, ADMISSION_HEADER) as Admission;
        const refusal = await this.admit(admission);
        if (refusal) return refuseUpgrade(refusal.code, refusal.reason);
        const { connection } = admission;
        const { response } = this.host.accept(connection);
        // Synchronous up to here and on to the last frame, so that nothing live slips in between.
        this.ctx.waitUntil(this.peers.welcome(connection.id, this.stream.welcome(admission)));
        this.ctx.waitUntil(this.machines.opened(connection));
        return response;
    }

    override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
        await this.host.receive(socket, message);
    }

    override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
        await this.closed(socket, code);
    }

    override async webSocketError(socket: WebSocket): Promise<void> {
        await this.closed(socket, 1006);
    }

    private async closed(socket: WebSocket, code: number): Promise<void> {
        closeQuietly(socket, code);
        await this.host.drained(socket);
        await this.afterClose([this.host.stateOf(socket) as Connection]);
    }

    private async handle(socket: WebSocket, frame: Incoming): Promise<void> {
        const services = await this.services();
        const connection = this.host.stateOf(socket) as Connection;
        await handleFrame({ socket, connection, host: this.host, room: this, services }, frame);
    }

    /** Why a socket may not join, if so. Learns from it how far the account is. */
    private async admit({ connection, seq }: Admission): Promise<Refusal | undefined> {
        this.stream.learn([], seq);
        this.dropSilentStreams();
        if (this.isFull()) await this.dropGhosts();
        if (this.isFull()) return { code: CLOSE.connectionLimit, reason: 'CONNECTION_LIMIT_EXCEEDED' };
        return this.ended.end(connection) ? { code: CLOSE.tokenRevoked, reason: 'Token revoked' } : undefined;
    }

    private isFull(): boolean {
        return this.peers.connections().length >= MAX_CONNECTIONS;
    }

    /** Nobody closes the socket of an event stream whose Worker has gone without a word; but its pings have ended. */
    private dropSilentStreams(): void {
        const since = Date.now() - STREAM_SILENCE_MS;
        for (const [socket, { wire, connectedAt }] of this.host.socketsOf(this.accountId)) {
            const heardAt = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? connectedAt;
            if (wire === 'sse' && heardAt < since) this.host.close(socket, CLOSE.goingAway, 'Silent');
        }
    }

    /** Sockets that a gateway lost without a word must not keep others out. */
    private async dropGhosts(): Promise<void> {
        for (const gateway of this.peers.gateways()) await this.reconcile(gateway);
    }

    /** Sockets are gone: calls to them fail, and a machine is offline when its last one closed. */
    private async afterClose(closed: Connection[]): Promise<void> {
        for (const { id } of closed) this.switchboard.gone(id);
        await this.machines.closed(closed);
    }

    // What writes have to tell

    /** Takes a publication. Updates it has already are dropped, so publishing again is harmless. */
    publish({ seq, updates, ephemerals }: Publication): void {
        this.stream.learn(updates, seq);
        const bodies = updates.map(({ update }) => update.body);
        if (bodies.some((body) => activeOf(body) === true)) this.silence.expect();
        if (bodies.some(mayEndActivity)) this.silence.reconsider();
        this.announce(ephemerals);
    }

    /** Sends ephemerals to the account's sockets; with `seq`, whoever makes them has just read how far the account is. */
    announce(ephemerals: AddressedEphemeral[], seq = 0): void {
        if (seq > 0) this.stream.learn([], seq);
        if (ephemerals.some(({ ephemeral }) => activeOf(ephemeral) === true)) this.silence.expect();
        if (ephemerals.some(({ ephemeral }) => activeOf(ephemeral) === false)) this.silence.reconsider();
        this.stream.deliver(ephemerals.map(ephemeralDelivery));
    }

    override async alarm(): Promise<void> {
        const tasks = {
            gap: () => this.stream.giveUpGap(),
            rpc: () => this.switchboard.tick(),
            silence: () => this.silence.sweep(),
            lost: () => this.findLost(),
        };
        await this.alarms.ring(tasks, (name, error) => this.failed(name, error));
    }

    private async endSilent(): Promise<number | null> {
        const { ephemerals, nextAt } = await sweepSilent(await this.services(), this.accountId);
        this.stream.deliver(ephemerals.map((ephemeral) => ephemeralDelivery({ ephemeral, to: {} })));
        return nextAt;
    }

    // What sockets ask for (Room)

    /** For a gateway's socket, `gateway` says which. @throws for one that this hub does not know */
    async callRpc(
        caller: Connection,
        ackId: AckId | null,
        method: string,
        params: unknown,
        gateway?: string,
    ): Promise<void> {
        this.assertKnown(caller, gateway);
        return this.switchboard.call(caller, ackId, method, params);
    }

    cancelRpc(callerId: string, ackId: AckId): void {
        this.switchboard.cancel(callerId, ackId);
    }

    answerRpc(targetId: string, callId: string, answer: unknown): void {
        this.switchboard.answer(targetId, callId, answer);
    }

    rpcRegistered(method: string): Promise<void> {
        return this.switchboard.registered(method);
    }

    /** Updates after `seq` for a socket that was away; it asks the database how far the account really is (P5). */
    async missedUpdates(connection: Connection, seq: number, gateway?: string): Promise<MissedUpdates> {
        this.assertKnown(connection, gateway);
        const { db } = await this.services();
        return this.stream.missed(connection, seq, await readAccountSeq(db, this.accountId));
    }

    /** Nothing reaches a gateway's socket that is not registered: it is refused, and soon dismissed. */
    private assertKnown({ id }: Connection, gateway: string | undefined): void {
        if (gateway === undefined || this.peers.find(id)) return;
        this.lookFor(gateway);
        throw new Error('Unknown socket');
    }

    follow(connection: Connection, beginnings: Beginning[], seq: number): Promise<void> {
        return this.stream.follow(connection, beginnings, seq);
    }

    relay(senderId: string, data: unknown): void {
        this.stream.deliver([{ event: 'broadcast', data, to: { only: { type: 'exclude', connectionId: senderId } } }]);
    }

    // What gateways and procedures ask for

    /** A gateway holds a new socket of the account, which is told what a socket here would be; or why it may not join. */
    async attach(gateway: string, admission: Admission): Promise<Refusal | null> {
        // Deliveries to it would reach the sockets, too, that have missed some.
        if (this.lost.has(gateway) && !(await this.reconcile(gateway))) throw new Error('Gateway out of reach');
        const refusal = await this.admit(admission);
        if (refusal) return refusal;
        const { connection } = admission;
        this.peers.addRemote(gateway, connection);
        this.ctx.waitUntil(this.machines.opened(connection));
        await this.peers.welcome(connection.id, this.stream.welcome(admission));
        return null;
    }

    /** A socket in a gateway has closed. */
    async detach(connectionId: string): Promise<void> {
        const connection = this.peers.removeRemote(connectionId);
        if (connection) await this.afterClose([connection]);
    }

    /**
     * Agrees with a gateway on the account's sockets there: those that only one of both knows end. False when it cannot be
     * reached. A gateway asks for it after it has lost its sockets.
     */
    async reconcile(gateway: string): Promise<boolean> {
        const gone = await this.peers.reconcile(gateway);
        if (!gone) return false;
        this.lost.remove(gateway);
        await this.afterClose(gone);
        return true;
    }

    private gatewayLost(gateway: string, connections: Connection[]): void {
        // One that is looked for already is not looked for longer.
        if (connections.length === 0) return;
        this.lookFor(gateway);
        this.ctx.waitUntil(this.afterClose(connections));
    }

    private lookFor(gateway: string): void {
        this.lost.add(gateway);
        if (this.alarms.get('lost') === null) this.alarms.set('lost', Date.now() + FIND_LOST_MS);
    }

    /** A lost gateway may only have been out of reach: the sockets it still holds are closed, and come back. */
    private async findLost(): Promise<void> {
        for (const gateway of this.lost.takeAttempt()) await this.reconcile(gateway);
        this.alarms.set('lost', this.lost.anyLookedFor() ? Date.now() + FIND_LOST_MS : null);
    }

    /** Closes the sockets of ended tokens, here and in gateways (contract 3.2). */
    async revoke(revocation: Revocation): Promise<void> {
        this.ended.add(revocation);
        for (const [socket, connection] of this.host.socketsOf(this.accountId)) {
            if (isRevoked(connection, revocation)) endSocket(this.host, socket, connection);
        }
        await this.peers.revokeRemote(revocation);
    }

    stats(): ConnectionStats {
        this.dropSilentStreams();
        return summarize(this.peers.connections());
    }

    /** Sends a caller's message to chosen sockets; returns how many there are. Subscriptions know no such event. */
    broadcast(message: unknown, filter: BroadcastFilter): number {
        const to = { only: filter };
        this.stream.deliver([{ event: 'broadcast', data: message, to }]);
        const hears = (one: Connection) => one.wire !== 'sse' && one.wire !== 'trpc' && receives(one, to);
        return this.peers.connections().filter(hears).length;
    }

    /** Whether an app of the account is in the foreground: then it needs no push notification. */
    isAppActive(): Promise<boolean> {
        return this.peers.isAppActive();
    }

    /** Updates after `seq` as they are kept, for whoever may read all of them. */
    updatesSince(seq: number): AddressedUpdate[] {
        return this.log.since(seq, Date.now(), Number.POSITIVE_INFINITY)?.updates ?? [];
    }

    /** Answers when the object can be reached: for `/ready`. */
    ping(): 'pong' {
        return 'pong';
    }
}

/** Whether after an update less of the account may be active than before. */
function mayEndActivity(body: UpdateBody): boolean {
    const { t } = body;
    return t === 'delete-session' || t === 'delete-machine' || (t === 'update-machine' && body.active === false);
}

/** Whether an event says of something that it is active; undefined when it says nothing of the kind. */
function activeOf(event: UpdateBody | Ephemeral): boolean | undefined {
    return 'active' in event ? event.active : undefined;
}
