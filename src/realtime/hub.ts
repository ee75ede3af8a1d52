import { DurableObject } from 'cloudflare:workers';
import type { ServiceContext } from '@/context';
import { createServiceContext } from '@/context';
import type { Env } from '@/env';
import { loadConfig } from '@/env';
import { readAccountSeq } from '@/realtime/account-seq';
import type { Admission } from '@/realtime/admission';
import { ADMISSION_HEADER, readInternalHeader, refuseUpgrade } from '@/realtime/admission';
import { createAlarms } from '@/realtime/alarms';
import { CLOSE, MAX_CONNECTIONS } from '@/realtime/connection';
import type { Connection } from '@/realtime/connection';
import type { Delivery } from '@/realtime/fan-out';
import { connectionsOf, deliveryOf, ephemeralDelivery } from '@/realtime/fan-out';
import { handleFrame } from '@/realtime/frames';
import type { OutgoingEvent, Revocation } from '@/realtime/peers';
import { createPeers, isRevoked } from '@/realtime/peers';
import { createLostGateways } from '@/realtime/lost-gateways';
import { SILENCE_MS, machineStatus, markActive, markMachineOffline, sweepSilent } from '@/realtime/presence';
import type { AckId, Incoming } from '@/realtime/protocol/codec';
import { NATIVE_PING, NATIVE_PONG } from '@/realtime/protocol/native';
import type { Hubs } from '@/realtime/publish';
import { receives } from '@/realtime/recipients';
import { createUpdateLog } from '@/realtime/recovery';
import type { MissedUpdates, Room } from '@/realtime/room';
import { createRpcCalls } from '@/realtime/rpc';
import { closeQuietly, createSocketHost } from '@/realtime/socket-host';
import type { ConnectionStats } from '@/realtime/stats';
import { summarize } from '@/realtime/stats';
import { createSwitchboard } from '@/realtime/switchboard';
import type { AddressedEphemeral, AddressedUpdate, BroadcastFilter, Publication } from '@/realtime/updates';
import { createLogger } from '@/utils/logger';

/** How long a missing update may hold back those after it, in ms (contract 13). */
export const GAP_HOLD_MS = 2_000;
/** How often a gateway that could not be reached is looked for, in ms. */
const FIND_LOST_MS = 10_000;
/** About how many bytes of missed updates go into one reply (contract 13). */
const PAGE_BYTES = 1_000_000;

/**
 * The hub of one account: takes what writes have to tell, brings it into order, and delivers it to the account's
 * sockets, here and in gateways. What it must remember is in socket attachments or its SQLite; at rest it holds no
 * timer and no promise, and sleeps.
 */
export class AccountHub extends DurableObject<Env> implements Room {
    private readonly logger = createLogger({ object: 'hub' }, this.env.LOG_LEVEL);
    private readonly log = createUpdateLog(this.ctx.storage);
    private readonly alarms = createAlarms<'gap' | 'rpc' | 'silence' | 'lost'>(this.ctx.storage);
    private readonly host = createSocketHost(this.ctx, (socket, frame) => this.handle(socket, frame));
    private readonly peers = createPeers({
        env: this.env,
        log: this.logger,
        storage: this.ctx.storage,
        host: this.host,
        accountId: this.accountId,
        waitUntil: (work) => this.ctx.waitUntil(work),
        onLost: (gateway, connections) => this.gatewayLost(gateway, connections),
    });
    private readonly lost = createLostGateways(this.ctx.storage);
    private readonly switchboard = createSwitchboard(this.peers, createRpcCalls(this.ctx.storage), () => Date.now());

    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, env);
        ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(NATIVE_PING, NATIVE_PONG));
    }

    /** Hubs are named by their account. */
    private get accountId(): string {
        return this.ctx.id.name ?? '';
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

    // Sockets

    /** Takes a socket that the Worker has authenticated (`http/upgrade.ts`). */
    override async fetch(request: Request): Promise<Response> {
        const admission = readInternalHeader<Admission>(request, ADMISSION_HEADER);
        const { connection } = admission;
        this.learn([], admission.seq);
        if (this.isFull()) return refuseUpgrade(CLOSE.connectionLimit, 'CONNECTION_LIMIT_EXCEEDED');
        const { response, socket } = this.host.accept(connection);
        for (const { event, data } of this.welcome(admission)) this.host.sendEvent(socket, event, data);
        this.ctx.waitUntil(this.afterConnect(connection));
        return response;
    }

    override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
        await this.host.receive(socket, message);
    }

    override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
        closeQuietly(socket, code);
        await this.afterClose([this.host.stateOf(socket) as Connection]);
    }

    override async webSocketError(socket: WebSocket): Promise<void> {
        await this.afterClose([this.host.stateOf(socket) as Connection]);
    }

    private async handle(socket: WebSocket, frame: Incoming): Promise<void> {
        const connection = this.host.stateOf(socket) as Connection;
        await handleFrame({ socket, connection, host: this.host, room: this, services: await this.services() }, frame);
    }

    /** What a new socket is told at once: that it is connected, and what it missed. */
    private welcome(admission: Admission): OutgoingEvent[] {
        const { connection, seq } = admission;
        const { id, accountId, clientType, sessionId, machineId, connectedAt } = connection;
        const reached = Math.max(seq, this.log.head() ?? 0);
        const facts = { clientType, sessionId, machineId, timestamp: connectedAt, seq: reached };
        const connected = { event: 'connected', data: { connectionId: id, userId: accountId, ...facts } };
        return [connected, ...this.catchUp(admission, reached)];
    }

    /** What a reconnecting client missed, or that it has to start over; nothing for one that does not say how far it is. */
    private catchUp({ connection, lastSeq }: Admission, reached: number): OutgoingEvent[] {
        if (lastSeq === undefined) return [];
        const missed: OutgoingEvent[] = [];
        for (let from = lastSeq, more = true; more; ) {
            const page = this.log.since(from, Date.now(), PAGE_BYTES);
            if (!page) return [{ event: 'resync', data: { seq: reached } }];
            missed.push(...page.updates.filter(({ to }) => receives(connection, to)).map(deliveryOf));
            from = page.seq;
            more = page.hasMore;
        }
        return missed;
    }

    private isFull(): boolean {
        return this.peers.connections().length >= MAX_CONNECTIONS;
    }

    /** A machine is online from its first socket on. */
    private async afterConnect({ clientType, machineId }: Connection): Promise<void> {
        if (clientType !== 'machine-scoped' || machineId === undefined) return;
        const now = Date.now();
        await markActive(await this.services(), this.accountId, 'machine', machineId, now);
        this.announce(machineStatus(machineId, true, now, now).map((ephemeral) => ({ ephemeral, to: {} })));
    }

    /** Sockets are gone: calls to them fail, and a machine is offline when its last one closed. */
    private async afterClose(closed: Connection[]): Promise<void> {
        for (const { id } of closed) this.switchboard.gone(id);
        this.armRpc();
        const left = this.peers.connections().filter(({ id }) => !closed.some((connection) => connection.id === id));
        const machineIds = new Set(closed.flatMap(({ machineId }) => machineId ?? []));
        for (const machineId of machineIds) {
            if (left.some((connection) => connection.machineId === machineId)) continue;
            const ephemerals = await markMachineOffline(await this.services(), this.accountId, machineId);
            this.announce(ephemerals.map((ephemeral) => ({ ephemeral, to: {} })));
        }
    }

    // What writes have to tell

    /** Takes a publication. Updates it has already are dropped, so publishing again is harmless. */
    publish({ seq, updates, ephemerals }: Publication): void {
        this.learn(updates, seq);
        if (updates.some(({ update }) => update.body.t === 'new-session')) this.expectSilence();
        this.announce(ephemerals);
    }

    /** Delivers what is in order now, and holds what comes after a gap for a moment. */
    private learn(updates: AddressedUpdate[], seq: number): void {
        this.deliver(this.log.take(updates, seq, Date.now()).map(deliveryOf));
        const since = this.log.gapSince();
        this.alarms.set('gap', since === null ? null : since + GAP_HOLD_MS);
    }

    /** Sends ephemerals to the account's sockets. */
    announce(ephemerals: AddressedEphemeral[]): void {
        if (ephemerals.some(({ ephemeral }) => ephemeral.active === true)) this.expectSilence();
        this.deliver(ephemerals.map(ephemeralDelivery));
    }

    private deliver(deliveries: Delivery[]): number {
        return deliveries.length > 0 ? this.peers.deliver(deliveries) : 0;
    }

    /** The update that was waited for will not come: everybody is told to start over from here (P5). */
    private giveUpGap(): void {
        const seq = this.log.breakGap();
        this.alarms.set('gap', null);
        this.deliver([{ event: 'resync', data: { seq }, to: { only: { type: 'all' } } }]);
    }

    /** Something is active, so some time it may fall silent. */
    private expectSilence(): void {
        if (this.alarms.get('silence') === null) this.alarms.set('silence', Date.now() + SILENCE_MS);
    }

    override async alarm(): Promise<void> {
        for (const name of this.alarms.takeDue(Date.now())) {
            if (name === 'gap' && this.log.gapSince() !== null) this.giveUpGap();
            if (name === 'rpc') await this.switchboard.tick();
            if (name === 'silence') await this.endSilent();
            if (name === 'lost') await this.findLost();
        }
        this.armRpc();
    }

    private async endSilent(): Promise<void> {
        const { ephemerals, nextAt } = await sweepSilent(await this.services(), this.accountId);
        this.deliver(ephemerals.map((ephemeral) => ephemeralDelivery({ ephemeral, to: {} })));
        this.alarms.set('silence', nextAt);
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
        const page = this.log.since(seq, Date.now(), PAGE_BYTES);
        if (!page) return { success: false, error: 'resync-required' };
        const updates = page.updates.filter(({ to }) => receives(connection, to)).map(({ update }) => update);
        return { success: true, updates, seq: page.seq, hasMore: page.hasMore };
    }

    private async gapClosed(): Promise<void> {
        const until = (this.log.gapSince() ?? 0) + GAP_HOLD_MS;
        while (this.log.gapSince() !== null && Date.now() < until) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        if (this.log.gapSince() !== null) this.giveUpGap();
    }

    relay(senderId: string, data: unknown): void {
        this.deliver([{ event: 'broadcast', data, to: { only: { type: 'exclude', connectionId: senderId } } }]);
    }

    // What gateways and procedures ask for

    /** A gateway holds a new socket of the account, which is told what a socket here would be; false past the limit. */
    attach(gateway: string, admission: Admission): boolean {
        this.learn([], admission.seq);
        if (this.isFull()) return false;
        const { connection } = admission;
        this.peers.addRemote(gateway, connection);
        this.peers.send(connection.id, this.welcome(admission));
        this.ctx.waitUntil(this.afterConnect(connection));
        return true;
    }

    /** A socket in a gateway has closed. */
    async detach(connectionId: string): Promise<void> {
        const connection = this.peers.removeRemote(connectionId);
        if (connection) await this.afterClose([connection]);
    }

    /** What a gateway holds for the account, after it lost its memory: the rest is gone. */
    async reattach(gateway: string, connections: Connection[]): Promise<void> {
        const before = this.peers.dropGateway(gateway);
        for (const connection of connections) this.peers.addRemote(gateway, connection);
        await this.afterClose(before.filter(({ id }) => !connections.some((connection) => connection.id === id)));
    }

    private gatewayLost(gateway: string, connections: Connection[]): void {
        this.lost.add(gateway);
        this.alarms.set('lost', Date.now() + FIND_LOST_MS);
        this.ctx.waitUntil(this.afterClose(connections));
    }

    /** A lost gateway may only have been out of reach: the sockets it still holds come back, told to start over. */
    private async findLost(): Promise<void> {
        for (const gateway of this.lost.takeAttempt()) {
            const found = await this.peers.ask(gateway).catch(() => null);
            if (!found) continue;
            this.lost.remove(gateway);
            await this.reattach(gateway, found);
            const resync = { event: 'resync', data: { seq: this.log.head() ?? 0 } };
            for (const { id } of found) this.peers.send(id, [resync]);
        }
        this.alarms.set('lost', this.lost.any() ? Date.now() + FIND_LOST_MS : null);
    }

    /** Closes the sockets of ended tokens, here and in gateways (contract 3.2). */
    async revoke(revocation: Revocation): Promise<void> {
        for (const [socket, connection] of connectionsOf(this.host, this.accountId)) {
            if (isRevoked(connection, revocation)) this.host.close(socket, CLOSE.tokenRevoked, 'Token revoked');
        }
        await this.peers.revokeRemote(revocation);
    }

    stats(): ConnectionStats {
        return summarize(this.peers.connections());
    }

    /** Sends a caller's message to chosen sockets; returns how many there are. */
    broadcast(message: unknown, filter: BroadcastFilter): number {
        const to = { only: filter };
        this.deliver([{ event: 'broadcast', data: message, to }]);
        return this.peers.connections().filter((connection) => receives(connection, to)).length;
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
