import type { Hono } from 'hono';
import { ServiceError } from '@/errors';
import type { HonoEnv } from '@/http/hono-env';

/** Serves the OpenAPI document, generated ahead of time and kept as a static asset (contract 2, 13). */
export function mountDocs(app: Hono<HonoEnv>): void {
    app.get('/openapi.json', async (c) => {
        const etag = c.req.header('If-None-Match');
        const asset = await c.env.ASSETS.fetch(new URL('/openapi.json', c.req.url), {
            headers: etag === undefined ? {} : { 'If-None-Match': etag },
        });
        if (asset.status >= 400) throw new ServiceError('INTERNAL', 'The OpenAPI document is not deployed');
        return new Response(asset.body, asset);
    });
}
