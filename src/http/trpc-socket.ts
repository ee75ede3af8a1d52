import type { Context } from 'hono';
import type { HonoEnv } from '@/http/hono-env';
import { toGateway } from '@/http/to-gateway';
import { readParts, refuseTokenInUrl, saysWhose, upgradeToHub } from '@/http/upgrade';
import { refuseUpgrade } from '@/realtime/admission';
import { CLOSE } from '@/realtime/connection';

/**
 * Opens the socket of a `wsLink` at `/trpc` (contract 8): with a ticket in the URL, or an Authorization header, straight
 * to the hub; with connectionParams, which come as its first message, to a gateway.
 */
export async function upgradeTrpc(c: Context<HonoEnv>): Promise<Response> {
    const refusal = refuseTokenInUrl(c);
    if (refusal) return refusal;
    const { origin } = new URL(c.req.url);
    const parts = { ...readParts(c), origin };
    if (saysWhose(c)) return upgradeToHub(c, 'trpc', parts);
    if (c.req.query('connectionParams') === '1') return toGateway(c, 'trpc', parts);
    return refuseUpgrade(CLOSE.authFailed, 'A ticket or connectionParams are required');
}
