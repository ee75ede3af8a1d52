import { decodePacket, encodePacket } from 'engine.io-parser';
import type { PacketType as EnginePacketType } from 'engine.io-parser';
import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import type { Packet } from 'socket.io-parser';
import { stockEphemeral, stockUpdate } from '@/http/dialect-events';
import { CLOSE } from '@/realtime/connection';
import type { AckId, Codec, Incoming, Outgoing } from '@/realtime/protocol/codec';
import { placeOf, readResumption, resumptionId } from '@/realtime/protocol/resumption';
import type { Ephemeral } from '@/realtime/bodies';
import type { Update } from '@/realtime/updates';

/** A client waits for the server's ping as long as both together, in ms; then it takes the connection for dead. */
export const PATIENCE = { pingInterval: 25_000, pingTimeout: 65_000 };

/** The largest frame, in bytes, that clients are told they may send (contract 13). */
const MAX_PAYLOAD = 1_000_000;

/** What stock clients know a refusal by, where that is not its reason. */
const REFUSALS = new Map<number, string>([
    [CLOSE.connectionLimit, 'Too many connections'],
    [CLOSE.tokenRevoked, 'Invalid authentication token'],
]);

const RESYNC = { code: 1012, reason: 'Resync required' };

/** Engine.IO 4 and Socket.IO 5 over a WebSocket, for stock clients (contract 7): text packets of the main namespace. */
export const socketIoCodec: Codec = {
    // The server pings, and the client's answer needs none; but there has to be one, and this is Engine.IO's empty packet.
    autoResponse: [enginePacket('pong'), enginePacket('noop')],
    serverPing: enginePacket('ping'),
    authWithinMs: 20_000,
    greeting: () =>
        enginePacket('open', { sid: crypto.randomUUID(), upgrades: [], ...PATIENCE, maxPayload: MAX_PAYLOAD }),
    decode(text): Incoming {
        const { type, data } = decodePacket(text, 'arraybuffer');
        if (type === 'ping' || type === 'pong' || type === 'noop') return { kind: 'ping' };
        if (type === 'close') return { kind: 'leave' };
        if (type !== 'message' || typeof data !== 'string') return invalid('Not an Engine.IO message of text');
        const received = readPacket(data);
        return received ? fromPacket(received) : invalid('Not a Socket.IO packet');
    },
    event(name, data, _now, ackId, accountId = ''): Outgoing {
        const translate = TRANSLATED[name];
        return translate ? translate(data as never, accountId) : event(name, [data], ackId);
    },
    update: stockUpdate,
    ack: (ackId, value) => packet({ type: PacketType.ACK, id: Number(ackId), data: [value] }),
    refusal: ({ code, reason }) =>
        packet({ type: PacketType.CONNECT_ERROR, data: { message: REFUSALS.get(code) ?? reason } }),
    pong: () => null,
};

/** Events that Socket.IO has packets or signals of its own for, and those that stock clients want otherwise. */
const TRANSLATED: Record<string, (data: never, accountId: string) => Outgoing> = {
    connected: (data: Connected) => {
        const pid = resumptionId(data);
        return packet({
            type: PacketType.CONNECT,
            data: { sid: data.connectionId, ...(pid !== undefined && { pid }) },
        });
    },
    // A client that reconnects without being resumed loads everything anew.
    resync: () => RESYNC,
    // As the reference server does with what it can't parse.
    error: ({ message }: { message: string }) => ({ code: 1003, reason: message }),
    update(update: Update, accountId: string) {
        const stock = stockUpdate(update);
        // The client keeps the last argument as its offset, to be resumed from.
        return stock && event('update', [stock, placeOf(accountId, update.seq)]);
    },
    ephemeral: (ephemeral: Ephemeral) => event('ephemeral', [stockEphemeral(ephemeral)]),
    // A text that comes last would be kept as an offset.
    broadcast: (data: unknown) => event('broadcast', [data, null]),
};

type Connected = Parameters<typeof resumptionId>[0] & { connectionId: string };

function fromPacket({ type, nsp, id, data }: Packet): Incoming {
    if (nsp !== '/') return invalid('Only the main namespace is served');
    switch (type) {
        case PacketType.CONNECT:
            return {
                kind: 'auth',
                data: { ...data, pid: undefined, lastSeq: undefined, ...readResumption(data ?? {}) },
            };
        case PacketType.DISCONNECT:
            return { kind: 'leave' };
        case PacketType.EVENT: {
            const [name, first] = data as [string | number, unknown];
            return { kind: 'event', event: String(name), data: first, ...(id !== undefined && { ackId: id }) };
        }
        case PacketType.ACK:
            return id === undefined ? invalid('Ack without an id') : { kind: 'answer', ackId: id, answer: data[0] };
        default:
            return invalid('Not a packet that clients send');
    }
}

function readPacket(text: string): Packet | undefined {
    let received: Packet | undefined;
    // One for each text: a binary packet, which no stock client sends, would leave it waiting for its attachments.
    const decoder = new Decoder();
    decoder.on('decoded', (decoded: Packet) => (received = decoded));
    try {
        decoder.add(text);
    } catch {
        return undefined;
    }
    const { id } = received ?? {};
    return id === undefined || Number.isSafeInteger(id) ? received : undefined;
}

function event(name: string, args: unknown[], ackId?: AckId): string {
    return packet({ type: PacketType.EVENT, data: [name, ...args], ...(ackId !== undefined && { id: Number(ackId) }) });
}

function packet(parts: Omit<Packet, 'nsp'>): string {
    // Without binary data in it, a packet is one text.
    return enginePacket('message', new Encoder().encode({ nsp: '/', ...parts })[0]);
}

function enginePacket(type: EnginePacketType, data?: unknown): string {
    let text = '';
    const content = typeof data === 'object' ? JSON.stringify(data) : data;
    encodePacket({ type, data: content }, false, (encoded) => (text = encoded));
    return text;
}

function invalid(message: string): Incoming {
    return { kind: 'invalid', message };
}
