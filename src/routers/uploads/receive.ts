import type { AccountContext } from '@/context';
import { describeForLog } from '@/errors';
import type { CategoryRule } from '@/routers/uploads/rules';
import { checkRule, tooLarge } from '@/routers/uploads/rules';
import { cleanName } from '@/routers/uploads/name';
import { limitSize, peek } from '@/storage/content';
import type { Content } from '@/storage/content';
import type { FileType, TypeHints } from '@/storage/content-type';
import { detectType, isImage } from '@/storage/content-type';
import { readImageSize } from '@/storage/image-size';
import { fileKey } from '@/storage/keys';

/** Enough to tell a type; text is also held against it. */
const HEAD_BYTES = 4096;

/** A JPEG tells its size behind colour profiles and thumbnails of its own. */
const IMAGE_HEAD_BYTES = 256 * 1024;

/** A file whose bytes are stored, but which no row knows yet: nobody sees it, and the nightly sweep would take it. */
export interface ReceivedFile {
    id: string;
    name: string | null;
    contentType: FileType;
    size: number;
    width: number | null;
    height: number | null;
    /** An image that ends before its header says its size: nobody can show it. */
    isCutShort: boolean;
    /** Unix ms. */
    receivedAt: number;
}

/**
 * Takes a file's bytes in, under a key of its own, while holding them against the rule.
 * @throws VALIDATION_FAILED or PAYLOAD_TOO_LARGE as soon as the bytes show it; nothing stays stored then
 */
export async function receiveFile(
    ctx: AccountContext,
    content: Content,
    hints: TypeHints,
    rule: CategoryRule,
): Promise<ReceivedFile> {
    const receivedAt = ctx.now();
    const id = ctx.newId();
    const limited = limitSize(content, rule.limit, () => tooLarge(rule.limitText));
    const peeked = await peek(limited, (head) => isTelling(head));
    const contentType = detectType(peeked.head, peeked.rest === null, hints);
    const pixels = isImage(contentType) ? readImageSize(peeked.head) : null;
    const isCutShort = isImage(contentType) && !pixels && peeked.rest === null;
    checkRule(rule, { contentType, size: peeked.head.length, isCutShort });

    const size = await ctx.files.upload(fileKey(ctx.actor.accountId, id), peeked, contentType);
    const { width, height } = pixels ?? { width: null, height: null };
    return { id, name: cleanName(hints.name), contentType, size, width, height, isCutShort, receivedAt };
}

/** Throws a received file away, after the answer: it was not wanted after all. */
export function discardFile(ctx: AccountContext, id: string): void {
    const deleted = ctx.files.delete([fileKey(ctx.actor.accountId, id)]);
    // What stays behind is for the nightly sweep.
    ctx.waitUntil(deleted.catch((error) => ctx.log.error('file not deleted', { error: describeForLog(error) })));
}

function isTelling(head: Uint8Array): boolean {
    if (head.length < HEAD_BYTES) return false;
    const isJpeg = head[0] === 0xff && head[1] === 0xd8;
    return !isJpeg || head.length >= IMAGE_HEAD_BYTES || readImageSize(head) !== null;
}
