import type { Hono } from 'hono';
import type { HonoEnv } from '@/http/hono-env';

/** Serves the OpenAPI document, generated ahead of time and kept as a static asset (contract 2, 13). */
export function mountDocs(app: Hono<HonoEnv>): void {
    app.get('/openapi.json', async (c) => {
        const asset = await c.env.ASSETS.fetch(new URL('/openapi.json', c.req.url));
        return new Response(asset.body, asset);
    });
}
