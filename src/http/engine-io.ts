import type { Context } from 'hono';
import { ServiceError } from '@/errors';
import type { HonoEnv } from '@/http/hono-env';
import { toGateway } from '@/http/to-gateway';

/** Whether a request on the upgrade paths is a stock client's: native ones don't say which Engine.IO they speak. */
export function speaksEngineIo(c: Context<HonoEnv>): boolean {
    return c.req.query('EIO') !== undefined;
}

/**
 * Hands a stock client's socket to a gateway: nothing in its upgrade says whose it is (contract 7.1). What stock clients
 * don't use, other versions and HTTP long-polling, is refused (contract 7.8).
 */
export async function upgradeEngineIo(c: Context<HonoEnv>): Promise<Response> {
    const problem = unsupported(c);
    if (problem) throw new ServiceError('VALIDATION_FAILED', problem);
    return toGateway(c, 'socket.io', {});
}

function unsupported({ req }: Context<HonoEnv>): string | undefined {
    if (req.query('EIO') !== '4') return 'Only version 4 of Engine.IO is supported';
    if (req.query('transport') !== 'websocket') return 'Only the transport "websocket" is supported';
    // A session begun by long-polling, which nobody can have here.
    if (req.query('sid') !== undefined) return 'Session ID unknown';
    return req.header('Upgrade')?.toLowerCase() === 'websocket' ? undefined : 'Not a WebSocket upgrade';
}
