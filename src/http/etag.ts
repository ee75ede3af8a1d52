import type { Context } from 'hono';
import { encodeBase64Url } from '@/crypto/base64';
import type { HonoEnv } from '@/http/hono-env';

/**
 * Answers JSON with a weak ETag over the body without the fields that change with every answer; 304 without a body
 * when If-None-Match names it. One person's data: kept by their own cache only, and asked about every time.
 */
export async function answerWithEtag(c: Context<HonoEnv>, body: object, without: string[]): Promise<Response> {
    const lasting = Object.entries(body).filter(([field]) => !without.includes(field));
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(lasting)));
    const tag = `"${encodeBase64Url(new Uint8Array(hash, 0, 18))}"`;
    c.header('ETag', `W/${tag}`);
    c.header('Cache-Control', 'private, no-cache');
    // Bodies differ by who asks, and for stock clients also by their header.
    c.header('Vary', 'Authorization, X-Happy-Client', { append: true });
    return namesEtag(c.req.header('If-None-Match'), tag) ? c.body(null, 304) : c.json(body);
}

/** Whether an If-None-Match header names a tag; weak comparison (RFC 9110, 13.1.2): `W/` does not count. Our tags hold no comma. */
export function namesEtag(ifNoneMatch: string | undefined, tag: string): boolean {
    return (ifNoneMatch ?? '')
        .split(',')
        .map((entry) => entry.trim().replace(/^W\//, ''))
        .some((entry) => entry === tag || entry === '*');
}
