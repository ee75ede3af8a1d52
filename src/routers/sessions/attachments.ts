import type { AccountContext } from '@/context';
import { ServiceError, describeForLog } from '@/errors';
import type {
    AttachmentInput,
    RequestAttachmentDownloadInput,
    RequestAttachmentUploadInput,
} from '@/routers/sessions/attachments-schema';
import { selectSessionId, sessionNotFound } from '@/routers/sessions/service';
import { limitSize, peek } from '@/storage/content';
import type { Content } from '@/storage/content';
import { attachmentKey, attachmentPrefix, isAttachmentName } from '@/storage/keys';
import type { ObjectFacts } from '@/storage/r2';

/** Most bytes of an attachment (contract 4.2). */
const MAX_BYTES = 10 * 1024 * 1024;

/** Pages of 1,000 objects that the end of a session deletes at once; the nightly sweep takes what is left. */
const MAX_PAGES = 10;

/** Says where to put an attachment, and the `ref` by which it will be known. Its name stays with the client. */
export async function requestAttachmentUpload(ctx: AccountContext, { id, size }: RequestAttachmentUploadInput) {
    if (size > MAX_BYTES) throw tooLarge();
    await spendLimit(ctx, 'request');
    await requireSession(ctx, id);
    const ref = attachmentKey(id, `${ctx.newUuid()}.enc`);
    return { ref, uploadUrl: urlOf(ctx, ref), method: 'PUT' as const };
}

/**
 * Says where to get an attachment.
 * @throws VALIDATION_FAILED for a ref of another session or of no attachment, NOT_FOUND before its bytes are there
 */
export async function requestAttachmentDownload(ctx: AccountContext, { id, ref }: RequestAttachmentDownloadInput) {
    if (!ref.startsWith(attachmentPrefix(id))) {
        throw new ServiceError('VALIDATION_FAILED', 'Ref does not belong to this session');
    }
    if (!isAttachmentName(ref.slice(attachmentPrefix(id).length))) {
        throw new ServiceError('VALIDATION_FAILED', 'Invalid attachment ref');
    }
    await requireSession(ctx, id);
    if (!(await ctx.files.head(ref))) throw attachmentNotFound();
    return { downloadUrl: urlOf(ctx, ref) };
}

/** Stores an attachment's bytes, which are encrypted and mean nothing here; sent again, they replace the same. */
export async function storeAttachment(ctx: AccountContext, { id, file }: AttachmentInput, content: Content) {
    if (!isAttachmentName(file)) throw attachmentNotFound();
    const limited = limitSize(content, MAX_BYTES, tooLarge);
    await spendLimit(ctx, 'upload');
    await requireSession(ctx, id);
    // Whatever is read first shows whether a body is there at all.
    const peeked = await peek(limited, () => true);
    await ctx.files.upload(attachmentKey(id, file), peeked, 'application/octet-stream');
    return { ok: true as const };
}

/** Where an attachment's bytes are, and what is known of them. */
export async function openAttachment(
    ctx: AccountContext,
    { id, file }: AttachmentInput,
): Promise<ObjectFacts & { key: string }> {
    if (!isAttachmentName(file)) throw attachmentNotFound();
    await requireSession(ctx, id);
    const key = attachmentKey(id, file);
    const facts = await ctx.files.head(key);
    if (!facts) throw attachmentNotFound();
    return { ...facts, key };
}

/** Deletes all attachments of a session that is gone, after the answer. */
export function dropAttachments(ctx: AccountContext, sessionId: string): void {
    const dropped = dropAll(ctx, attachmentPrefix(sessionId));
    ctx.waitUntil(dropped.catch((error) => ctx.log.error('attachments not deleted', { error: describeForLog(error) })));
}

/** What callers are told of an attachment that does not exist, or cannot. */
export function attachmentNotFound(): ServiceError {
    return new ServiceError('NOT_FOUND', 'Attachment not found');
}

async function dropAll(ctx: AccountContext, prefix: string, pages = MAX_PAGES): Promise<void> {
    const { objects, hasMore } = await ctx.files.list({ prefix });
    await ctx.files.delete(objects.map(({ key }) => key));
    if (hasMore && pages > 1) await dropAll(ctx, prefix, pages - 1);
}

async function requireSession(ctx: AccountContext, id: string): Promise<void> {
    const owned = await selectSessionId(ctx.db, ctx.actor.accountId, id);
    if (owned.length === 0) throw sessionNotFound();
}

async function spendLimit(ctx: AccountContext, kind: 'request' | 'upload'): Promise<void> {
    if (!(await ctx.withinAttachmentLimit(kind, ctx.actor.accountId))) {
        throw new ServiceError('RATE_LIMITED', 'Too many attachments, try again in a minute');
    }
}

/** A ref is the end of its own address. */
function urlOf(ctx: AccountContext, ref: string): string {
    return `${ctx.origin}/v1/${ref}`;
}

function tooLarge(): ServiceError {
    return new ServiceError('PAYLOAD_TOO_LARGE', 'File too large (max 10MB)');
}
