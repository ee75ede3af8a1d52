import type { Context, Hono } from 'hono';
import { readTicket, spendTicket } from '@/auth/tickets';
import { writeBatch } from '@/db/batch';
import { getDb } from '@/db/client';
import { createContext } from '@/http/context';
import { speaksEngineIo, upgradeEngineIo } from '@/http/engine-io';
import type { HonoEnv } from '@/http/hono-env';
import { toGateway } from '@/http/to-gateway';
import { ADMISSION_HEADER, createAdmission, internalUpgrade, refuseUpgrade } from '@/realtime/admission';
import { refusalOf, selectScope } from '@/realtime/admit';
import type { Handshake, HandshakeParts, Wire } from '@/realtime/connection';
import { CLOSE, isRefusal, readHandshake } from '@/realtime/connection';

const MAX_PART = 256;

/** Serves `/v1/updates` and `/v1/websocket`: native WebSockets (contract 6), and stock clients' (contract 7). */
export function mountUpgrade(app: Hono<HonoEnv>): void {
    for (const path of ['/v1/updates', '/v1/updates/', '/v1/websocket', '/v1/websocket/']) app.get(path, upgrade);
}

async function upgrade(c: Context<HonoEnv>): Promise<Response> {
    if (speaksEngineIo(c)) return upgradeEngineIo(c);
    const { requestId } = c.var;
    if (c.req.header('Upgrade')?.toLowerCase() !== 'websocket') {
        const error = 'This path is for WebSocket clients';
        return c.json({ error, code: 'UPGRADE_REQUIRED', requestId }, 426, { Upgrade: 'websocket' });
    }
    const refusal = refuseTokenInUrl(c);
    if (refusal) return refusal;
    const parts = readParts(c);
    return saysWhose(c) ? upgradeToHub(c, 'native', parts) : toGateway(c, 'native', parts);
}

/** The refusal of a token in the URL, which would end up in logs. */
export function refuseTokenInUrl({ req }: Context<HonoEnv>): Response | undefined {
    return req.query('token') === undefined
        ? undefined
        : refuseUpgrade(CLOSE.authFailed, 'No token in the URL: use a ticket');
}

/** Whether an upgrade says by itself whose socket it is to be. */
export function saysWhose({ req }: Context<HonoEnv>): boolean {
    return req.query('ticket') !== undefined || req.header('Authorization') !== undefined;
}

/** Hands a socket to the hub of whoever a ticket or the bearer token names, or refuses it. */
export async function upgradeToHub(c: Context<HonoEnv>, wire: Wire, parts: HandshakeParts): Promise<Response> {
    const handshake = readHandshake(parts);
    if (isRefusal(handshake)) return refuseUpgrade(handshake.code, handshake.reason);
    const ticket = c.req.query('ticket');
    const admitted = await (ticket === undefined
        ? admitByHeader(c, wire, handshake)
        : admitByTicket(c, wire, ticket, handshake));
    if ('code' in admitted) return refuseUpgrade(admitted.code, admitted.reason);
    const hub = c.env.ACCOUNT_HUB.getByName(admitted.connection.accountId);
    return hub.fetch(internalUpgrade(ADMISSION_HEADER, admitted));
}

/** Client type and ids come from the query or from headers: real CLIs send only headers. */
export function readParts(c: Context<HonoEnv>): HandshakeParts {
    const part = (name: string, header: string) => short(c.req.query(name) ?? c.req.header(header));
    return {
        clientType: part('clientType', 'X-Client-Type'),
        sessionId: part('sessionId', 'X-Session-Id'),
        machineId: part('machineId', 'X-Machine-Id'),
        lastSeq: short(c.req.query('lastSeq')),
    };
}

/** Parts may have to be kept in a socket's attachment; what is too long to be one is as bad as an empty one. */
function short(part: string | undefined): string | undefined {
    return part !== undefined && part.length > MAX_PART ? '' : part;
}

/** Admits the holder of the bearer token. */
async function admitByHeader(c: Context<HonoEnv>, wire: Wire, handshake: Handshake) {
    const ctx = createContext(c);
    const actor = await ctx.authenticate();
    if (!actor) return UNAUTHORIZED;
    const [scope] = await selectScope(ctx.db, actor, handshake);
    return refusalOf(scope, handshake) ?? createAdmission(wire, actor, handshake, scope?.seq ?? 0);
}

/** Admits the holder of a ticket, which is spent with it. */
async function admitByTicket(c: Context<HonoEnv>, wire: Wire, text: string, handshake: Handshake) {
    const now = Date.now();
    const ticket = await readTicket(c.var.config.keys.keyTree, text, now);
    if (!ticket) return UNAUTHORIZED;
    const db = getDb(c.env.DB);
    const { written, reads } = await writeBatch(
        db,
        [spendTicket(db, ticket, now)],
        [selectScope(db, ticket, handshake)],
    );
    if (written[0]?.length === 0) return UNAUTHORIZED;
    const [scope] = reads[0];
    return refusalOf(scope, handshake) ?? createAdmission(wire, ticket, handshake, scope?.seq ?? 0);
}

const UNAUTHORIZED = { code: CLOSE.authFailed, reason: 'Unauthorized' };
