import { ServiceError } from '@/errors';
import { CLOSE } from '@/realtime/connection';
import type { Connection, Wire } from '@/realtime/connection';
import { STOP_GRACE_MS, withMute } from '@/realtime/heartbeat';
import { CODECS } from '@/realtime/protocol';
import type { Outgoing } from '@/realtime/protocol/codec';
import { getMachineId, getSessionId } from '@/realtime/protocol/ids';
import { errorFrame, trackedBody, trackedFrame } from '@/realtime/protocol/trpc';
import { receives } from '@/realtime/recipients';
import type { SocketHost } from '@/realtime/socket-host';
import { send } from '@/realtime/socket-host';
import { subscribersOf } from '@/realtime/subscriptions';
import type { AddressedEphemeral, AddressedUpdate, Recipients, Stopped, Update } from '@/realtime/updates';

/** An event on its way to the sockets of an account. */
export interface Delivery {
    event: string;
    data: unknown;
    to: Recipients;
    skip?: string;
    /** What it tells the end of. */
    stopped?: Stopped;
    /** Of an ephemeral: the account's seq reached when it was sent. */
    seq?: number;
}

/** An update as it is delivered. */
export function deliveryOf({ update, to, skip }: AddressedUpdate): Delivery {
    const stopped = deletedBy(update);
    return { event: 'update', data: update, to, ...(skip !== undefined && { skip }), ...(stopped && { stopped }) };
}

function deletedBy({ body, createdAt: at }: Update): Stopped | undefined {
    if (body.t === 'delete-session') return { kind: 'session', id: getSessionId(body), at };
    return body.t === 'delete-machine' ? { kind: 'machine', id: getMachineId(body), at } : undefined;
}

/** An ephemeral as it is delivered. */
export function ephemeralDelivery({ ephemeral, to, stopped }: AddressedEphemeral): Delivery {
    return { event: 'ephemeral', data: ephemeral, to, ...(stopped !== undefined && { stopped }) };
}

/**
 * Sends events to the sockets of a host that receive them, each event encoded once per wire, not per recipient.
 */
export function fanOut(host: SocketHost, accountId: string, deliveries: Delivery[], now: number): void {
    const encoded = deliveries.map(() => new Map<Wire, Outgoing>());
    const bodies: { text: string }[] = [];
    for (const [socket, connection] of host.socketsOf(accountId)) {
        deliveries.forEach((delivery, i) => {
            const { event, data, to, skip, stopped } = delivery;
            if (stopped) mute(host, socket, stopped, now);
            if (connection.subscriptions) {
                if (!connection.joining) sendTracked(socket, connection, delivery, (bodies[i] ??= { text: '' }));
                return;
            }
            if (connection.joining || !receives(connection, to, skip)) return;
            let frame = encoded[i]?.get(connection.wire);
            if (frame === undefined) {
                frame = CODECS[connection.wire].event(event, data, now, undefined, accountId);
                encoded[i]?.set(connection.wire, frame);
            }
            send(socket, frame);
        });
    }
}

/** Sends an event to the subscriptions of a tRPC socket that get it; its body is made once for all of them. */
function sendTracked(socket: WebSocket, connection: Connection, delivery: Delivery, body: { text: string }): void {
    for (const { id } of subscribersOf(connection, delivery)) {
        const { event, data, seq } = delivery;
        body.text ||= trackedBody(event, data, seq ?? (data as { seq: number }).seq);
        send(socket, trackedFrame(id, body.text));
    }
}

/** Closes the socket of an ended token; a tRPC client's subscriptions are told why (contract 8). */
export function endSocket(host: SocketHost, socket: WebSocket, { subscriptions }: Connection): void {
    const error = new ServiceError('UNAUTHORIZED', 'Token revoked');
    for (const { id } of subscriptions ?? []) send(socket, errorFrame(id, error));
    host.close(socket, CLOSE.tokenRevoked, 'Token revoked');
}

/**
 * Heartbeats of what was just stopped or deleted are ignored for a while, the first one of a socket too, which may wait
 * for the database at this moment. tRPC sockets have none, and no room to spare in their attachments.
 */
function mute(host: SocketHost, socket: WebSocket, stopped: Stopped, now: number): void {
    const connection = host.stateOf(socket) as Connection;
    if (connection.wire === 'trpc') return;
    host.setState(socket, withMute(connection, stopped, stopped.at + STOP_GRACE_MS, now));
}
