import type { Context } from 'hono';
import type { HonoEnv } from '@/http/hono-env';
import { toGateway } from '@/http/to-gateway';
import { admitByHeader, admitByTicket, readParts, toHub } from '@/http/upgrade';
import { refuseUpgrade } from '@/realtime/admission';
import { CLOSE, isRefusal, readHandshake } from '@/realtime/connection';

/**
 * Opens the socket of a `wsLink` at `/trpc` (contract 8): with a ticket in the URL, or an Authorization header, straight
 * to the hub; with connectionParams, which come as its first message, to a gateway.
 */
export async function upgradeTrpc(c: Context<HonoEnv>): Promise<Response> {
    if (c.req.query('token') !== undefined) return refuseUpgrade(CLOSE.authFailed, 'No token in the URL: use a ticket');
    const { origin } = new URL(c.req.url);
    const parts = { ...readParts(c), origin };
    const ticket = c.req.query('ticket');
    const isKnown = ticket !== undefined || c.req.header('Authorization') !== undefined;
    if (!isKnown && c.req.query('connectionParams') === '1') return toGateway(c, 'trpc', parts);
    if (!isKnown) return refuseUpgrade(CLOSE.authFailed, 'A ticket or connectionParams are required');

    const handshake = readHandshake(parts);
    if (isRefusal(handshake)) return refuseUpgrade(handshake.code, handshake.reason);
    const admitted = await (ticket === undefined
        ? admitByHeader(c, 'trpc', handshake)
        : admitByTicket(c, 'trpc', ticket, handshake));
    return 'code' in admitted ? refuseUpgrade(admitted.code, admitted.reason) : toHub(c.env, admitted);
}
