import type { Connection } from '@/realtime/connection';
import type { Delivery } from '@/realtime/fan-out';
import { fanOut } from '@/realtime/fan-out';
import type { SocketGateway } from '@/realtime/gateway';
import type { AckId } from '@/realtime/protocol/codec';
import type { Revocation } from '@/realtime/revocations';
import { newestHolder, registeredAt } from '@/realtime/rpc';
import type { SocketHost } from '@/realtime/socket-host';
import { joinSubscription } from '@/realtime/subscriptions';
import type { Logger } from '@/utils/logger';

/** An event for one socket; with `ackId` its client is asked to answer. */
export interface OutgoingEvent {
    event: string;
    data: unknown;
    ackId?: AckId;
}

/** All sockets of an account, those of its hub and those that gateways hold for it. */
export interface Peers {
    connections(): Connection[];
    find(connectionId: string): Connection | undefined;
    /** Fans events out here and hands them to each gateway in one call; gateways get them in order. */
    deliver(deliveries: Delivery[]): void;
    /** Sends events to one socket, in order. */
    send(connectionId: string, events: OutgoingEvent[]): void;
    /**
     * Sends a socket that has just come its first events, a page at a time; whatever else there is for it comes after.
     * Resolves when they are out. With `subscription` they are for that subscription of a socket.
     */
    welcome(connectionId: string, pages: () => Iterable<OutgoingEvent[]>, subscription?: AckId): Promise<void>;
    sendAck(connectionId: string, ackId: AckId, value: unknown): void;
    /** The socket that registered a method last. */
    holderOf(method: string): Promise<Connection | undefined>;
    /** Whether an app of the account is in the foreground. */
    isAppActive(): Promise<boolean>;
    addRemote(gateway: string, connection: Connection): void;
    removeRemote(connectionId: string): Connection | undefined;
    /** Gateways that hold sockets of the account. */
    gateways(): string[];
    /**
     * Has a gateway close the account's sockets that are not registered, and drops the registered ones that it does not
     * hold; returns these, or undefined when it cannot be reached.
     */
    reconcile(gateway: string): Promise<Connection[] | undefined>;
    /** Has every gateway close the sockets of ended tokens. */
    revokeRemote(revocation: Revocation): Promise<void>;
}

interface Options {
    /** The gateway of a name. */
    gateway: (name: string) => DurableObjectStub<SocketGateway>;
    log: Logger;
    storage: DurableObjectStorage;
    host: SocketHost;
    accountId: string;
    waitUntil: (work: Promise<unknown>) => void;
    /** A gateway could not be reached: its sockets count as gone. */
    onLost: (gateway: string, connections: Connection[]) => void;
    /** A gateway holds fewer sockets than are registered: it could not say of each that it had closed. */
    onGhosts: (gateway: string) => void;
}

interface Row extends Record<string, SqlStorageValue> {
    id: string;
    gateway: string;
    connection: string;
}

/** Opens the peers of a hub; gateways' sockets are kept in its SQLite, a row each. */
export function createPeers({
    gateway: stub,
    log,
    storage,
    host,
    accountId,
    waitUntil,
    onLost,
    onGhosts,
}: Options): Peers {
    const { sql } = storage;
    sql.exec(`CREATE TABLE IF NOT EXISTS RemoteConnection (
        id TEXT PRIMARY KEY, gateway TEXT NOT NULL, connection TEXT NOT NULL) WITHOUT ROWID`);
    const remote = new Map(
        sql
            .exec<Row>('SELECT * FROM RemoteConnection')
            .toArray()
            .map(({ id, gateway, connection }) => [id, { gateway, connection: JSON.parse(connection) as Connection }]),
    );
    const lines = new Map<string, { tail: Promise<unknown>; isLost: boolean }>();

    /**
     * Runs calls to one gateway in order; retries once, then takes its sockets for gone and drops what else was to go
     * there: none of them may get a later update after they missed one. Undefined then.
     */
    function callGateway<Result>(
        gateway: string,
        call: (target: DurableObjectStub<SocketGateway>) => Promise<Result>,
    ): Promise<Result | undefined> {
        const line = lines.get(gateway) ?? { tail: Promise.resolve(), isLost: false };
        const attempt = async () => (line.isLost ? undefined : call(stub(gateway)));
        const turn = line.tail
            .then(attempt)
            .catch(attempt)
            .catch(() => {
                line.isLost = true;
                lines.delete(gateway);
                log.error('gateway lost', { gateway });
                onLost(gateway, drop(idsAt(gateway)));
                return undefined;
            });
        line.tail = turn;
        lines.set(gateway, line);
        waitUntil(turn);
        return turn;
    }

    const idsAt = (gateway: string) => [...remote].flatMap(([id, entry]) => (entry.gateway === gateway ? [id] : []));
    const drop = (ids: string[]) => ids.flatMap((id) => peers.removeRemote(id) ?? []);

    const peers: Peers = {
        connections: () => [
            ...[...host.socketsOf(accountId)].map(([, connection]) => connection),
            ...[...remote.values()].map(({ connection }) => connection),
        ],
        find: (id) => peers.connections().find((connection) => connection.id === id),
        deliver(deliveries) {
            for (const gateway of peers.gateways()) {
                void callGateway(gateway, async (target) => {
                    const known = idsAt(gateway).length;
                    if ((await target.deliver(accountId, deliveries)) < known) onGhosts(gateway);
                });
            }
            fanOut(host, accountId, deliveries, Date.now());
        },
        send(id, events) {
            const socket = host.find(id);
            const gateway = remote.get(id)?.gateway;
            if (socket) for (const { event, data, ackId } of events) host.sendEvent(socket, event, data, ackId);
            else if (gateway) void callGateway(gateway, (target) => target.sendEvents(id, events));
        },
        async welcome(id, pages, subscription) {
            const socket = host.find(id);
            const gateway = remote.get(id)?.gateway;
            if (socket) {
                for (const page of pages()) {
                    for (const { event, data } of page) host.sendEvent(socket, event, data, subscription);
                }
                if (subscription !== undefined) joinSubscription(host, socket, subscription);
            } else if (gateway) {
                await callGateway(gateway, async (target) => {
                    for (const page of pages()) {
                        await target.sendEvents(
                            id,
                            page.map((event) => ({ ...event, ackId: subscription })),
                        );
                    }
                    await target.joined(id, subscription);
                });
            }
        },
        sendAck(id, ackId, value) {
            const socket = host.find(id);
            const gateway = remote.get(id)?.gateway;
            if (socket) host.sendAck(socket, ackId, value);
            else if (gateway) void callGateway(gateway, (target) => target.sendAck(id, ackId, value));
        },
        async holderOf(method) {
            const local = [...host.socketsOf(accountId)].map(([, connection]) => ({
                id: connection.id,
                at: registeredAt(connection, method),
            }));
            const elsewhere = await Promise.all(
                peers.gateways().map((gateway) =>
                    stub(gateway)
                        .rpcHolder(accountId, method)
                        .catch(() => null),
                ),
            );
            const newest = newestHolder([...local, ...elsewhere]);
            return newest && peers.find(newest.id);
        },
        async isAppActive() {
            if ([...host.socketsOf(accountId)].some(([, { appActive }]) => appActive)) return true;
            const answers = await Promise.all(
                peers.gateways().map((gateway) =>
                    stub(gateway)
                        .isAppActive(accountId)
                        .catch(() => false),
                ),
            );
            return answers.includes(true);
        },
        addRemote(gateway, connection) {
            remote.set(connection.id, { gateway, connection });
            sql.exec(
                'INSERT OR REPLACE INTO RemoteConnection (id, gateway, connection) VALUES (?, ?, ?)',
                connection.id,
                gateway,
                JSON.stringify(connection),
            );
        },
        removeRemote(id) {
            const known = remote.get(id);
            if (!known) return undefined;
            remote.delete(id);
            sql.exec('DELETE FROM RemoteConnection WHERE id = ?', id);
            return known.connection;
        },
        gateways: () => [...new Set([...remote.values()].map(({ gateway }) => gateway))],
        async reconcile(gateway) {
            let known: string[] = [];
            const held = await callGateway(gateway, (target) => {
                known = idsAt(gateway);
                return target.reconcile(accountId, known);
            });
            return held && drop(known.filter((id) => !held.includes(id)));
        },
        async revokeRemote(revocation) {
            // One that is out of reach is lost: what it holds is dismissed when it is found, and ended tokens with it.
            const revoke = (gateway: string) => callGateway(gateway, (target) => target.revoke(accountId, revocation));
            await Promise.all(peers.gateways().map(revoke));
        },
    };
    return peers;
}
