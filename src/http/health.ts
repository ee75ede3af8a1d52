import type { Context, Hono } from 'hono';
import type { Env } from '@/env';
import { loadConfig } from '@/env';
import type { HonoEnv } from '@/http/hono-env';
import { version } from '../../package.json';

/** The mobile app recognises a server by this exact text (contract 2). */
const WELCOME = 'Welcome to Happy Server!';

/** `/health`: the Worker runs. Touches nothing and works without any configuration. */
export function mountHealth(app: Hono<HonoEnv>): void {
    app.get('/health', (c) => c.json({ status: 'healthy', timestamp: Date.now(), version }));
    app.get('/ready', async (c) => {
        const checks = await runChecks(c.env);
        const ready = Object.values(checks).every(Boolean);
        return c.json({ ready, checks, timestamp: Date.now() }, ready ? 200 : 503);
    });
}

/** `GET /`: what the app's custom-server screen asks for, as JSON or, with `Accept: text/plain`, as bare text. */
export function welcome(c: Context<HonoEnv>): Response {
    const accept = c.req.header('Accept') ?? '';
    // Axios asks for both unless told otherwise, and means JSON.
    if (accept.includes('text/plain') && !accept.includes('application/json')) return c.text(WELCOME);
    const { environment } = c.var.config;
    const message = `${WELCOME} API documentation is at /docs.`;
    return c.json({ message, version, environment, timestamp: Date.now() });
}

async function runChecks(env: Env) {
    const [environment, database, storage, durableObjects] = await Promise.all([
        passes(() => loadConfig(env)),
        passes(() => env.DB.prepare('SELECT 1').all()),
        passes(() => env.UPLOADS.head('ready')),
        passes(() => env.ACCOUNT_HUB.getByName('ready').ping()),
    ]);
    return { environment, database, storage, durableObjects };
}

async function passes(check: () => Promise<unknown>): Promise<boolean> {
    try {
        await check();
        return true;
    } catch {
        return false;
    }
}
