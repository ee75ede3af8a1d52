import type { Context, Hono } from 'hono';
import { ServiceError } from '@/errors';
import type { HonoEnv } from '@/http/hono-env';

/**
 * What the page may load: itself, and nothing of any other origin. The viewer writes its styles into the page, so
 * inline styles are allowed there; scripts are not.
 */
const PAGE_POLICY = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
].join('; ');

/** Files of the page, as they are named among the static assets. */
const PAGE_FILES = ['viewer.js', 'start.js'];

/**
 * Serves the OpenAPI document, generated ahead of time, and the page to browse it with. Both are static assets, not part
 * of the Worker (contract 2, 13; `scripts/build-assets.mjs`).
 */
export function mountDocs(app: Hono<HonoEnv>): void {
    app.get('/openapi.json', (c) => serveAsset(c, '/openapi.json'));
    app.get('/docs', async (c) => {
        // The assets serve page.html by this name, and redirect from any other.
        const page = await serveAsset(c, '/docs/page');
        page.headers.set('Content-Security-Policy', PAGE_POLICY);
        return page;
    });
    for (const file of PAGE_FILES) app.get(`/docs/${file}`, (c) => serveAsset(c, `/docs/${file}`));
}

async function serveAsset(c: Context<HonoEnv>, path: string): Promise<Response> {
    const etag = c.req.header('If-None-Match');
    const asset = await c.env.ASSETS.fetch(new URL(path, c.req.url), {
        headers: etag === undefined ? {} : { 'If-None-Match': etag },
    });
    if (asset.status >= 400) throw new ServiceError('INTERNAL', 'The API documentation is not deployed');
    return new Response(asset.body, asset);
}
