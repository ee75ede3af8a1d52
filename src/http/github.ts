import type { Hono } from 'hono';
import { readBytes } from '@/http/body';
import { createContext } from '@/http/context';
import type { HonoEnv } from '@/http/hono-env';
import { finishGithub } from '@/routers/connect/github';
import { receiveGithubDelivery } from '@/routers/connect/github-webhook';

/** What GitHub itself calls, which no procedure expresses: a redirect, and a body signed as the bytes it is (contract 4.6). */
export function mountGithub(app: Hono<HonoEnv>): void {
    app.get('/v1/connect/github/callback', async (c) => {
        const { code, state, error } = c.req.query();
        return c.redirect(await finishGithub(createContext(c), { code, state, error }));
    });

    app.post('/v1/connect/github/webhook', async (c) => {
        const received = await receiveGithubDelivery(createContext(c), {
            signature: c.req.header('X-Hub-Signature-256'),
            event: c.req.header('X-GitHub-Event'),
            id: c.req.header('X-GitHub-Delivery'),
            body: await readBytes(c.req.raw),
        });
        return c.json(received);
    });
}
