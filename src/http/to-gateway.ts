import type { Context } from 'hono';
import { ServiceError } from '@/errors';
import type { HonoEnv } from '@/http/hono-env';
import { HANDSHAKE_HEADER, internalUpgrade } from '@/realtime/admission';
import type { HandshakeParts } from '@/realtime/connection';
import { gatewayName } from '@/realtime/gateway-name';
import type { GatewayWire } from '@/realtime/gateway-name';

/**
 * Hands a socket to a gateway: whose it is comes in its first message, and no hub is touched before that.
 * @throws RATE_LIMITED past the limit of upgrades from one address
 * @throws SERVICE_UNAVAILABLE when the gateway holds as many as it may
 */
export async function toGateway(
    { env, req }: Context<HonoEnv>,
    wire: GatewayWire,
    parts: HandshakeParts,
): Promise<Response> {
    const address = req.header('CF-Connecting-IP');
    const { success } = await env.UPGRADE_LIMITER.limit({ key: address ?? 'unknown' });
    if (!success) throw new ServiceError('RATE_LIMITED', 'Too many connections from this address, try again later');
    const gateway = env.SOCKET_GATEWAY.getByName(gatewayName(env, wire, address));
    const response = await gateway.fetch(internalUpgrade(HANDSHAKE_HEADER, parts));
    if (!response.webSocket) throw new ServiceError('SERVICE_UNAVAILABLE', 'Too many connections, try again later');
    return response;
}
