import type { Env } from '@/env';
import worker from '@/index';
import { AccountHub as Hub, SocketGateway as Gateway } from '@/index';
import { probeDatabase } from '@test/helpers/database';
import type { DatabaseProbe } from '@test/helpers/database';

/**
 * The Worker itself, with its database counted: `GET /rows` answers how many rows D1 says that everything so far has
 * written, in the Worker and in its objects, which share this isolate here.
 */
let probe: DatabaseProbe | undefined;

function counted<E extends Env>(env: E): E {
    probe ??= probeDatabase(env.DB);
    return { ...env, DB: probe.binding };
}

let countedEnv: Env | undefined;

export class AccountHub extends Hub {
    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, counted(env));
    }
}

export class SocketGateway extends Gateway {
    constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, counted(env));
    }
}

export default {
    fetch(request, env, ctx) {
        countedEnv ??= counted(env);
        if (new URL(request.url).pathname === '/rows') return Response.json({ rows: probe?.rowsWritten ?? 0 });
        return worker.fetch(request, countedEnv, ctx);
    },
} satisfies ExportedHandler<Env>;
