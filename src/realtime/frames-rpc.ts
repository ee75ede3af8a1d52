import * as z from 'zod';
import { InvalidParameters } from '@/realtime/events/socket-event';
import type { FrameScope } from '@/realtime/frame-scope';
import { registeredAt, withMethod } from '@/realtime/rpc';
import { text } from '@/utils/schema';

const Method = z.object({ method: text(256, 1) });

/**
 * Registers a method on its socket or takes it back, and tells the socket how that went: published daemons wait for
 * `rpc-registered`.
 * @returns the method
 * @throws InvalidParameters after it has told the socket why not
 */
export function keepMethod(scope: FrameScope, data: unknown, what: 'register' | 'unregister'): string {
    const { host, socket, connection } = scope;
    const parsed = Method.safeParse(data);
    if (!parsed.success) return refuse(scope, 'Invalid method name');
    const { method } = parsed.data;
    const next = withMethod(connection, method, what === 'register' ? newestTime(scope, method) : null);
    if (typeof next === 'string') return refuse(scope, next);
    host.setState(socket, next);
    host.sendEvent(socket, `rpc-${what}ed`, { method });
    return method;
}

/** Now, but later than every other registration of the method here: two in one millisecond have an order, too. */
function newestTime({ host, connection, services }: FrameScope, method: string): number {
    const earlier = [...host.socketsOf(connection.accountId)].map(([, other]) => registeredAt(other, method) ?? 0);
    return Math.max(services.now(), ...earlier.map((at) => at + 1));
}

function refuse({ host, socket }: FrameScope, error: string): never {
    host.sendEvent(socket, 'rpc-error', { type: 'register', error });
    throw new InvalidParameters(error);
}
