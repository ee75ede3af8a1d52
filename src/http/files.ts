import type { Context, Hono } from 'hono';
import { acting, actingContext, contentOf } from '@/http/binary';
import { createContext } from '@/http/context';
import type { HonoEnv } from '@/http/hono-env';
import { answerFile } from '@/http/stored-file';
import { mountUploads } from '@/http/uploads';
import { attachmentNotFound, openAttachment, storeAttachment } from '@/routers/sessions/attachments';
import { fileNotFound, getOwnedFile, getSignedAvatar } from '@/routers/uploads/service';
import type { FileRow } from '@/routers/uploads/view';
import { toFile } from '@/routers/uploads/view';
import type { FileStorage } from '@/storage/r2';
import { fileKey } from '@/storage/keys';

/**
 * Kept by the caller's own browser only, and asked about every time: a deleted file is gone at once. Compressed on the
 * way, bytes would lose their length, their ranges and their ETag.
 */
const ASK_FIRST = 'private, no-cache, no-transform';

/** An avatar's address is another one for another picture. */
const ONE_DAY = 'private, max-age=86400, immutable, no-transform';

/** Everything that travels as bytes rather than JSON (contract 4.2 attachments, 4.7 uploads, 13 Files). */
export function mountFiles(app: Hono<HonoEnv>): void {
    mountUploads(app);
    app.get('/v1/uploads/:id/download', async (c) => {
        const ctx = await actingContext(c);
        return answerUpload(c, ctx.files, await getOwnedFile(ctx, c.req.param('id')), ASK_FIRST);
    });
    app.get('/v1/avatars/:id', async (c) => {
        const ctx = createContext(c);
        const row = await getSignedAvatar(ctx, c.req.param('id'), c.req.query('sig') ?? '');
        return answerUpload(c, ctx.files, row, ONE_DAY);
    });
    app.put('/v1/sessions/:id/attachments/:file', (c) =>
        acting(c, (ctx) => storeAttachment(ctx, c.req.param(), contentOf(c.req.raw))),
    );
    app.get('/v1/sessions/:id/attachments/:file', async (c) => {
        const ctx = await actingContext(c);
        const attachment = await openAttachment(ctx, c.req.param());
        return answerFile(c, ctx.files, {
            ...attachment,
            contentType: 'application/octet-stream',
            name: c.req.param('file'),
            cacheControl: ASK_FIRST,
            notFound: attachmentNotFound,
        });
    });
}

function answerUpload(c: Context<HonoEnv>, files: FileStorage, row: FileRow, cacheControl: string): Promise<Response> {
    const { id, size, contentType, originalName } = toFile(row);
    // The bytes under an id never change, so the id is their strong validator and costs no question to storage.
    const etag = `"${id}"`;
    const key = fileKey(row.accountId, id);
    return answerFile(c, files, {
        key,
        etag,
        size,
        contentType,
        name: originalName,
        cacheControl,
        notFound: fileNotFound,
    });
}
