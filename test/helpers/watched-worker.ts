import type { Env } from '@/env';
import worker from '@/index';
import { AccountHub as Hub, SocketGateway as Gateway } from '@/index';

/** What a Durable Object has lived through since its process began. */
export interface Watched {
    kind: 'hub' | 'gateway';
    /** A hub's account, a gateway's address for hubs. */
    name?: string;
    /** How often it came to life: a second time only after it had slept, or was cut off. */
    instances: number;
    /** When somebody called it, a socket, another object or an alarm: Unix ms, in order. */
    calls: number[];
}

/** Every way into an object. */
const DOORS = `fetch alarm webSocketMessage webSocketClose webSocketError
    publish announce attach detach reconcile revoke deliver sendEvents joined sendAck
    callRpc cancelRpc answerRpc rpcHolder missedUpdates follow relay stats`.split(/\s+/);

/** The objects by their ids. All of them share this isolate here. */
const objects = new Map<string, Watched>();
const recordOf = new WeakMap<object, Watched>();
const busy = new WeakMap<object, number>();

function begin(kind: Watched['kind'], instance: object, { id }: DurableObjectState): void {
    const record = objects.get(`${id}`) ?? { kind, instances: 0, calls: [] };
    objects.set(`${id}`, record);
    recordOf.set(instance, record);
    record.name ??= id.name;
    record.instances += 1;
}

/** Notes calls from outside; what an object calls of itself meanwhile is none. */
function watchDoors(prototype: object): void {
    for (const door of DOORS) {
        const original = Reflect.get(prototype, door) as ((...args: unknown[]) => unknown) | undefined;
        if (!original) continue;
        function watched(this: object, ...args: unknown[]): unknown {
            const inside = busy.get(this) ?? 0;
            if (inside === 0) recordOf.get(this)?.calls.push(Date.now());
            busy.set(this, inside + 1);
            const result = original?.apply(this, args);
            const done = () => busy.set(this, (busy.get(this) ?? 1) - 1);
            if (result instanceof Promise) return result.finally(done);
            done();
            return result;
        }
        Reflect.defineProperty(prototype, door, { value: watched, configurable: true, writable: true });
    }
}

export class AccountHub extends Hub {
    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, env);
        begin('hub', this, ctx);
    }
}

export class SocketGateway extends Gateway {
    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, env);
        begin('gateway', this, ctx);
    }
}

watchDoors(AccountHub.prototype);
watchDoors(SocketGateway.prototype);

/** The Worker itself, with its objects watched: `GET /watched` answers what each has lived through, and wakes none. */
export default {
    fetch(request, env, ctx) {
        if (new URL(request.url).pathname === '/watched') return Response.json([...objects.values()]);
        return worker.fetch(request, env, ctx);
    },
} satisfies ExportedHandler<Env>;
