import { createConnection } from '@/realtime/connection';
import type { Caller, Connection, Handshake, Wire } from '@/realtime/connection';

/** Carries an admission from the Worker to the hub it forwards an upgrade to. Never taken from a client. */
export const ADMISSION_HEADER = 'X-Happy-Admission';

/** Carries what an upgrade said of itself to the gateway, for a socket that authenticates by message. */
export const HANDSHAKE_HEADER = 'X-Happy-Handshake';

/** What `internalUpgrade` put into one of these headers. */
export function readInternalHeader(request: Request, header: string): unknown {
    return JSON.parse(decodeURIComponent(request.headers.get(header) ?? ''));
}

/** A socket that the Worker has authenticated, as the hub gets it. */
export interface Admission {
    connection: Connection;
    /** The account's seq at the ownership check: how the hub notices an update that was never published. */
    seq: number;
    /** The client has every update up to this one and wants the later ones at once. */
    lastSeq?: number;
    /** It names its earlier connection, and wants to know whether it goes on (`protocol/resumption.ts`). */
    pid?: string;
}

/** Admits a verified caller whose handshake was found good; `seq` as in `Admission`. */
export function createAdmission(wire: Wire, caller: Caller, handshake: Handshake, seq: number): Admission {
    const connection = createConnection(wire, caller, handshake, Date.now());
    return { connection, seq, ...(handshake.lastSeq !== undefined && { lastSeq: handshake.lastSeq }) };
}

/** An upgrade of our own, so that nothing a client sent can pass for an admission. */
export function internalUpgrade(header: string, value: unknown): Request {
    const headers = { Upgrade: 'websocket', [header]: encodeURIComponent(JSON.stringify(value)) };
    return new Request('https://object/', { headers });
}

/**
 * Accepts an upgrade only to close it with a code, which browsers can see, unlike the status of a refused one
 * (contract 6).
 */
export function refuseUpgrade(code: number, reason: string): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    server.close(code, reason);
    return new Response(null, { status: 101, webSocket: client });
}
