import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env as realEnv } from 'cloudflare:workers';
import { createApp } from '@/app';
import type { Env } from '@/env';
import { probeDatabase } from '@test/helpers/database';
import type { DatabaseProbe } from '@test/helpers/database';

/** The whole server in this isolate, on real bindings, with a counted database. */
export interface TestServer {
    db: DatabaseProbe;
    env: Env;
    /** Sends a request and waits for the work the Worker leaves behind (publishing). */
    fetch(path: string, init?: RequestInit): Promise<Response>;
}

const ORIGIN = 'https://happy.test';

/** Starts a server; `overrides` replace variables and bindings. Each has its own token cache, as a new isolate would. */
export function startServer(overrides: Partial<Record<keyof Env, unknown>> = {}): TestServer {
    const db = probeDatabase(realEnv.DB);
    const env = { ...realEnv, DB: db.binding, ...overrides } as Env;
    const app = createApp();
    return {
        db,
        env,
        async fetch(path, init) {
            const ctx = createExecutionContext();
            const response = await app.fetch(new Request(new URL(path, ORIGIN), init), env, ctx);
            await waitOnExecutionContext(ctx);
            return response;
        },
    };
}
