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
import { beginSubscription, catchUp, missedPage, welcome } from '@/realtime/catch-up';
import { CLOSE, MAX_CONNECTIONS, NATIVE_PING } from '@/realtime/connection';
import type { Connection, Refusal } from '@/realtime/connection';
import type { Delivery } from '@/realtime/fan-out';
import { deliveryOf, endSocket, ephemeralDelivery } from '@/realtime/fan-out';
import { STREAM_SILENCE_MS } from '@/realtime/follow';
import { handleFrame } from '@/realtime/frames';
import { SILENCE_MS } from '@/realtime/heartbeat';
import { createLostGateways } from '@/realtime/lost-gateways';
import { createMachinePresence } from '@/realtime/machine-presence';
import { readOwnName } from '@/realtime/own-name';
import type { OutgoingEvent } from '@/realtime/peers';
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
import { scopedTo } from '@/realtime/subscriptions';
import type { Beginning } from '@/realtime/subscriptions';
import { createSwitchboard } from '@/realtime/switchboard';
import type { Ephemeral, UpdateBody } from '@/realtime/bodies';
import type { AddressedEphemeral, AddressedUpdate, BroadcastFilter, Publication } from '@/realtime/updates';
import { createLogger } from '@/utils/logger';

/** How long a missing update may hold back those after it, in ms (contract 13). */
export const GAP_HOLD_MS = 2_000;
/** A hub that rests has been silent for longer, in ms: the runtime puts objects to sleep after ten seconds. */
const AWAKE_MS = 8_000;
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
    });
    private readonly lost = createLostGateways(this.ctx.storage);
    private readonly switchboard = createSwitchboard(this.peers, createRpcCalls(this.ctx.storage), () => Date.now());
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

    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, env);
        ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(NATIVE_PING, NATIVE_PONG));
        // At rest everything is out. What a crash has caught on its way to a gateway is in the log, and never comes (P6).
        if (this.log.keptAt() > Date.now() - AWAKE_MS) this.resync();
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
        this.ctx.waitUntil(this.peers.welcome(connection.id, this.welcome(admission)));
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
        this.learn([], seq);
        this.dropSilentStreams();
        if (this.isFull()) await this.dropGhosts();
        if (this.isFull()) return { code: CLOSE.connectionLimit, reason: 'CONNECTION_LIMIT_EXCEEDED' };
        return this.ended.end(connection) ? { code: CLOSE.tokenRevoked, reason: 'Token revoked' } : undefined;
    }

    /** What a new socket is told at once: that it is connected, and what it missed if it says how far it is. */
    private welcome({ connection, seq, lastSeq, pid }: Admission): () => Generator<OutgoingEvent[]> {
        const { id, accountId, clientType, sessionId, machineId, connectedAt } = connection;
        const upTo = this.log.head() ?? 0;
        const reached = Math.max(seq, upTo);
        const facts = { clientType, sessionId, machineId, timestamp: connectedAt, seq: reached };
        const connected = { connectionId: id, userId: accountId, ...facts };
        const { log } = this;
        return () => {
            const range = { from: lastSeq ?? 0, upTo, reached, now: Date.now() };
            return welcome(connected, lastSeq === undefined ? undefined : catchUp(log, connection, range), pid);
        };
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
        for (const gateway of this.peers.gateways()) {
            const since = Date.now();
            const found = await this.peers.ask(gateway).catch(() => null);
            if (found) await this.reattach(gateway, found, since);
        }
    }

    /** Sockets are gone: calls to them fail, and a machine is offline when its last one closed. */
    private async afterClose(closed: Connection[]): Promise<void> {
        for (const { id } of closed) this.switchboard.gone(id);
        this.armRpc();
        await this.machines.closed(closed);
    }

    // What writes have to tell

    /** Takes a publication. Updates it has already are dropped, so publishing again is harmless. */
    publish({ seq, updates, ephemerals }: Publication): void {
        // A log begins with what it can keep: of two that write at once, the one with nothing to tell may come first.
        if (updates.length > 0 || this.log.head() !== null) this.learn(updates, seq);
        const bodies = updates.map(({ update }) => update.body);
        if (bodies.some((body) => activeOf(body) === true)) this.silence.expect();
        if (bodies.some(mayEndActivity)) this.silence.reconsider();
        this.announce(ephemerals);
    }

    /** Delivers what is in order now, and holds what comes after a gap for a moment. */
    private learn(updates: AddressedUpdate[], seq: number): void {
        this.deliver(this.log.take(updates, seq, Date.now()).map(deliveryOf));
        const since = this.log.gapSince();
        this.alarms.set('gap', since === null ? null : since + GAP_HOLD_MS);
    }

    /** Sends ephemerals to the account's sockets; with `seq`, whoever makes them has just read how far the account is. */
    announce(ephemerals: AddressedEphemeral[], seq = 0): void {
        if (seq > 0) this.learn([], seq);
        if (ephemerals.some(({ ephemeral }) => activeOf(ephemeral) === true)) this.silence.expect();
        if (ephemerals.some(({ ephemeral }) => activeOf(ephemeral) === false)) this.silence.reconsider();
        this.deliver(ephemerals.map(ephemeralDelivery));
    }

    private deliver(deliveries: Delivery[]): void {
        if (deliveries.length === 0) return;
        const seq = this.log.head() ?? 0;
        this.peers.deliver(deliveries.map((one) => (one.event === 'ephemeral' ? { ...one, seq } : one)));
    }

    /** The update that was waited for will not come: everybody is told to start over from here (P5). */
    private giveUpGap(): void {
        if (this.log.gapSince() === null) return;
        this.log.breakGap();
        this.alarms.set('gap', null);
        this.resync();
        // It may have been of something that is active.
        this.silence.expect();
    }

    private resync(): void {
        this.deliver([{ event: 'resync', data: { seq: this.log.head() ?? 0 }, to: { only: { type: 'all' } } }]);
    }

    override async alarm(): Promise<void> {
        const tasks = {
            gap: () => this.giveUpGap(),
            rpc: async () => {
                await this.switchboard.tick();
                this.armRpc();
            },
            silence: () => this.silence.sweep(),
            lost: () => this.findLost(),
        };
        await this.alarms.ring(tasks, (name, error) => this.failed(name, error));
    }

    private async endSilent(): Promise<number | null> {
        const { ephemerals, nextAt } = await sweepSilent(await this.services(), this.accountId);
        this.deliver(ephemerals.map((ephemeral) => ephemeralDelivery({ ephemeral, to: {} })));
        return nextAt;
    }

    // What sockets ask for (Room)

    async callRpc(caller: Connection, ackId: AckId | null, method: string, params: unknown): Promise<void> {
        await this.switchboard.call(caller, ackId, method, params);
        this.armRpc();
    }

    cancelRpc(callerId: string, ackId: AckId): void {
        this.switchboard.cancel(callerId, ackId);
        this.armRpc();
    }

    answerRpc(targetId: string, callId: string, answer: unknown): void {
        this.switchboard.answer(targetId, callId, answer);
        this.armRpc();
    }

    async rpcRegistered(method: string): Promise<void> {
        await this.switchboard.registered(method);
        this.armRpc();
    }

    private armRpc(): void {
        this.alarms.set('rpc', this.switchboard.nextAt());
    }

    /** Updates after `seq` for a socket that was away; it asks the database how far the account really is (P5). */
    async missedUpdates(connection: Connection, seq: number): Promise<MissedUpdates> {
        const { db } = await this.services();
        this.learn([], await readAccountSeq(db, this.accountId));
        // An update may be on its way; it comes within moments or never.
        if (this.log.gapSince() !== null) await this.gapClosed();
        return missedPage(this.log, connection, seq, Date.now());
    }

    async follow(connection: Connection, beginnings: Beginning[], seq: number): Promise<void> {
        this.learn([], seq);
        const upTo = this.log.head() ?? 0;
        const range = { upTo, reached: Math.max(seq, upTo), now: Date.now() };
        const { log, peers } = this;
        await Promise.all(
            beginnings.map(({ subscription, lastSeq }) => {
                const scoped = scopedTo(connection, subscription);
                const pages = () => beginSubscription(log, scoped, { ...range, from: lastSeq });
                return peers.welcome(connection.id, pages, subscription.id);
            }),
        );
    }

    private async gapClosed(): Promise<void> {
        const until = (this.log.gapSince() ?? 0) + GAP_HOLD_MS;
        while (this.log.gapSince() !== null && Date.now() < until) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        this.giveUpGap();
    }

    relay(senderId: string, data: unknown): void {
        this.deliver([{ event: 'broadcast', data, to: { only: { type: 'exclude', connectionId: senderId } } }]);
    }

    // What gateways and procedures ask for

    /** A gateway holds a new socket of the account, which is told what a socket here would be; or why it may not join. */
    async attach(gateway: string, admission: Admission): Promise<Refusal | null> {
        const refusal = await this.admit(admission);
        if (refusal) return refusal;
        const { connection } = admission;
        this.peers.addRemote(gateway, connection);
        this.ctx.waitUntil(this.machines.opened(connection));
        await this.peers.welcome(connection.id, this.welcome(admission));
        return null;
    }

    /** A socket in a gateway has closed. */
    async detach(connectionId: string): Promise<void> {
        const connection = this.peers.removeRemote(connectionId);
        if (connection) await this.afterClose([connection]);
    }

    /** What a gateway holds for the account, after it lost its memory: whatever else it held before `since` is gone. */
    async reattach(gateway: string, connections: Connection[], since: number): Promise<void> {
        const held = new Set(connections.map(({ id }) => id));
        const gone = this.peers.dropGateway(gateway, ({ id, connectedAt }) => !held.has(id) && connectedAt < since);
        // One that is just joining comes by `attach`.
        for (const connection of connections) if (!connection.joining) this.peers.addRemote(gateway, connection);
        await this.afterClose(gone);
    }

    private gatewayLost(gateway: string, connections: Connection[]): void {
        this.lost.add(gateway);
        this.alarms.set('lost', Date.now() + FIND_LOST_MS);
        this.ctx.waitUntil(this.afterClose(connections));
    }

    /** A lost gateway may only have been out of reach: the sockets it still holds come back, told to start over. */
    private async findLost(): Promise<void> {
        for (const gateway of this.lost.takeAttempt()) {
            const since = Date.now();
            const found = await this.peers.ask(gateway).catch(() => null);
            if (!found) continue;
            this.lost.remove(gateway);
            await this.reattach(gateway, found, since);
            const resync = { event: 'resync', data: { seq: this.log.head() ?? 0 } };
            for (const { id } of found) this.peers.send(id, [resync]);
        }
        this.alarms.set('lost', this.lost.any() ? Date.now() + FIND_LOST_MS : null);
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
        this.deliver([{ event: 'broadcast', data: message, to }]);
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
