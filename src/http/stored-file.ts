import { create as createDisposition } from 'content-disposition';
import type { Context } from 'hono';
import { ServiceError } from '@/errors';
import { errorResponse } from '@/http/errors';
import { namesEtag } from '@/http/etag';
import type { HonoEnv } from '@/http/hono-env';
import { isImage } from '@/storage/content-type';
import type { FileStorage } from '@/storage/r2';
import { parseRange } from '@/storage/ranges';
import type { ByteRange } from '@/storage/ranges';

/** What an answer says of a stored file. */
export interface StoredFile {
    /** Where its bytes are. */
    key: string;
    /** Quoted; another one whenever the bytes are others. */
    etag: string;
    /** Bytes. */
    size: number;
    contentType: string;
    /** Offered for saving. */
    name: string;
    cacheControl: string;
    /** What callers are told when the bytes are gone. */
    notFound: () => ServiceError;
}

/**
 * Answers a stored file: whole, one range of it, or that the caller has it (RFC 9110, 13 and 14). Only raster images are
 * shown where they are linked; everything else is for saving, and nothing runs.
 */
export async function answerFile(c: Context<HonoEnv>, files: FileStorage, file: StoredFile): Promise<Response> {
    const { etag, cacheControl, contentType, name, size } = file;
    const validators = { ETag: etag, 'Cache-Control': cacheControl };
    if (namesEtag(c.req.header('If-None-Match'), etag)) return c.body(null, 304, validators);

    const headers = {
        ...validators,
        'Accept-Ranges': 'bytes',
        'Content-Type': contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType,
        'Content-Disposition': createDisposition(name, { type: isImage(contentType) ? 'inline' : 'attachment' }),
        'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    };
    if (c.req.method === 'HEAD') return c.body(null, 200, { ...headers, 'Content-Length': String(size) });

    const range = requestedRange(c, file);
    if (range === 'unsatisfiable') return unsatisfiable(c, size);

    const object = await files.get(file.key, range ?? undefined);
    if (!object) throw file.notFound();
    if (range === null) return c.body(object.body, 200, headers);
    const last = range.offset + range.length - 1;
    return c.body(object.body, 206, { ...headers, 'Content-Range': `bytes ${range.offset}-${last}/${size}` });
}

/** A range counts only if what the caller has of the file is still of this file (If-Range, strong comparison). */
function requestedRange(c: Context<HonoEnv>, { size, etag }: StoredFile): ByteRange | 'unsatisfiable' | null {
    const condition = c.req.header('If-Range');
    return condition === undefined || condition.trim() === etag ? parseRange(c.req.header('Range'), size) : null;
}

function unsatisfiable(c: Context<HonoEnv>, size: number): Response {
    c.header('Content-Range', `bytes */${size}`);
    const { body, headers } = errorResponse(c, new ServiceError('VALIDATION_FAILED', 'Range not satisfiable'));
    return new Response(body, { status: 416, headers });
}
