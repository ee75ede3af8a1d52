import { and, desc, eq, sql } from 'drizzle-orm';
import type { AccountContext, ServiceContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { uploadedFiles } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import { AVATAR_REUSE_KEY } from '@/routers/account/avatar';
import { isAvatarSignature } from '@/routers/uploads/avatar-url';
import { discardFile } from '@/routers/uploads/receive';
import type { FileIdInput, ListFilesInput } from '@/routers/uploads/schema';
import { toFile } from '@/routers/uploads/view';
import type { FileRow } from '@/routers/uploads/view';
import { decodeCursor, encodeCursor, invalidCursor } from '@/utils/cursor';

/**
 * A page of the account's files, newest first. The cursor is the place of a page's last file, not the file: pages go
 * on from there whatever is uploaded or deleted meanwhile.
 */
export async function listFiles(ctx: AccountContext, { category, limit, cursor }: ListFilesInput) {
    const { createdAt, id } = uploadedFiles;
    const after = cursor == null ? null : parsePlace(cursor);
    const rows = await ctx.db
        .select()
        .from(uploadedFiles)
        .where(
            and(
                eq(uploadedFiles.accountId, ctx.actor.accountId),
                category == null ? undefined : eq(uploadedFiles.category, category),
                // The first comparison lets the index start at the place; the second breaks ties by id.
                after === null
                    ? undefined
                    : sql`${createdAt} <= ${after.createdAt} AND (${createdAt}, ${id}) < (${after.createdAt}, ${after.id})`,
            ),
        )
        .orderBy(desc(createdAt), desc(id))
        .limit(limit + 1);

    const hasNext = rows.length > limit;
    const last = rows[limit - 1];
    return {
        files: rows.slice(0, limit).map(toFile),
        nextCursor: hasNext && last ? encodeCursor(`${last.createdAt}-${last.id}`) : null,
        hasNext,
    };
}

/** A file's facts. */
export async function getFile(ctx: AccountContext, { id }: FileIdInput) {
    return { file: toFile(await getOwnedFile(ctx, id)) };
}

/**
 * The row of a file of the caller.
 * @throws NOT_FOUND also for somebody else's file
 */
export async function getOwnedFile(ctx: AccountContext, id: string): Promise<FileRow> {
    const [row] = await ctx.db.select().from(uploadedFiles).where(isOwnedFile(ctx, id));
    if (!row) throw fileNotFound();
    return row;
}

/**
 * The row of a picture that is somebody's avatar, for whoever has its signed address.
 * @throws NOT_FOUND for a wrong signature just as for a picture that was replaced
 */
export async function getSignedAvatar(ctx: ServiceContext, id: string, signature: string): Promise<FileRow> {
    if (!(await isAvatarSignature(ctx, id, signature))) throw fileNotFound();
    const [row] = await ctx.db
        .select()
        .from(uploadedFiles)
        .where(and(eq(uploadedFiles.id, id), eq(uploadedFiles.reuseKey, AVATAR_REUSE_KEY)));
    if (!row) throw fileNotFound();
    return row;
}

/**
 * Deletes a file: its row at once, so that nobody finds it any more, then its object. What fails in between leaves an
 * object without a row, for the nightly sweep; never a row without its bytes.
 */
export async function deleteFile(ctx: AccountContext, { id }: FileIdInput) {
    const { accountId } = ctx.actor;
    const owned = isOwnedFile(ctx, id);
    const isAvatar = sql`reuseKey IS ${AVATAR_REUSE_KEY}`;
    const { changed, before, seq } = await writeForAccount(ctx.db, {
        accountId,
        // Only an avatar's end is an update of the account.
        before: [sql`DELETE FROM ${uploadedFiles} WHERE ${owned} AND NOT ${isAvatar} RETURNING id`],
        main: sql`DELETE FROM ${uploadedFiles} WHERE ${owned} AND ${isAvatar} RETURNING id`,
    });
    if (changed.length === 0 && before[0]?.length === 0) throw fileNotFound();
    discardFile(ctx, id);
    const body = { t: 'update-account' as const, id: accountId, avatar: null };
    announce(ctx, { accountId, seq, updates: changed.map(() => ({ body, to: {} })) });
    return { success: true as const };
}

/** What callers are told of a file that is not theirs, whether it exists or not. */
export function fileNotFound(): ServiceError {
    return new ServiceError('NOT_FOUND', 'File not found');
}

function isOwnedFile(ctx: AccountContext, id: string) {
    return and(eq(uploadedFiles.id, id), eq(uploadedFiles.accountId, ctx.actor.accountId));
}

function parsePlace(cursor: string): { createdAt: number; id: string } {
    const [, createdAt, id] = /^(\d{1,15})-(.+)$/.exec(decodeCursor(cursor)) ?? [];
    if (createdAt === undefined || id === undefined) throw invalidCursor();
    return { createdAt: Number(createdAt), id };
}
