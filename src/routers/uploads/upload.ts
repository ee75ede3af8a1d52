import { and, eq, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { uploadedFiles } from '@/db/schema';
import type { UploadCategory } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import { AVATAR_REUSE_KEY, toAvatar } from '@/routers/account/avatar';
import { discardFile } from '@/routers/uploads/receive';
import type { ReceivedFile } from '@/routers/uploads/receive';
import { categoryRules, checkRule } from '@/routers/uploads/rules';
import type { UploadOptions } from '@/routers/uploads/schema';
import { addThumbhash } from '@/routers/uploads/thumbhash';
import { toFile } from '@/routers/uploads/view';
import type { FileRow } from '@/routers/uploads/view';
import { extensions } from '@/storage/content-type';

/**
 * Makes a received file the account's. Under a reuse key that is known, also one that a parallel upload has just taken,
 * the stored file is given back and the received one thrown away (contract 4.7).
 *
 * The bytes were stored first: whatever fails from here on leaves at most an object without a row, which nobody sees and
 * the nightly sweep takes away.
 */
export async function keepFile(ctx: AccountContext, received: ReceivedFile, { category, reuseKey }: UploadOptions) {
    checkOrDiscard(ctx, received, category);
    const { accountId } = ctx.actor;
    const same = and(eq(uploadedFiles.accountId, accountId), eq(uploadedFiles.reuseKey, reuseKey ?? ''));
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql<FileRow>`${insertion(accountId, received, category, reuseKey ?? null)}
            ON CONFLICT (accountId, reuseKey) WHERE reuseKey IS NOT NULL DO NOTHING RETURNING *`,
        updatesPerRow: 0,
        reads: reuseKey == null ? [] : [ctx.db.select().from(uploadedFiles).where(same)],
    });
    announce(ctx, { accountId, seq });
    const [created] = changed;
    const existing = reads[0]?.[0];
    if (created) {
        addThumbhash(ctx, created);
        return { success: true as const, file: toFile(created) };
    }
    discardFile(ctx, received.id);
    if (!existing) throw new ServiceError('CONFLICT', 'The file was deleted meanwhile, try again');
    return { success: true as const, file: toFile(existing) };
}

/**
 * Makes a received image the account's avatar. The row changes from the old picture to the new in one batch, and only
 * then does the old one's object go: there is no moment without a picture.
 */
export async function keepAvatar(ctx: AccountContext, received: ReceivedFile) {
    const { accountId } = ctx.actor;
    const { changed, before, seq } = await writeForAccount(ctx.db, {
        accountId,
        before: [
            sql`DELETE FROM ${uploadedFiles} WHERE accountId = ${accountId} AND reuseKey = ${AVATAR_REUSE_KEY} RETURNING id`,
        ],
        main: sql<FileRow>`${insertion(accountId, received, 'avatars', AVATAR_REUSE_KEY)} RETURNING *`,
    });
    const [row] = changed;
    if (!row) throw new ServiceError('INTERNAL', 'The avatar was not stored');
    for (const { id } of (before[0] ?? []) as { id: string }[]) discardFile(ctx, id);

    addThumbhash(ctx, row);
    const avatar = await toAvatar(ctx, row);
    announce(ctx, { accountId, seq, updates: [{ body: { t: 'update-account', id: accountId, avatar }, to: {} }] });
    const { contentType, size } = toFile(row);
    return { success: true as const, avatar: { ...avatar, contentType, size } };
}

/** Once more, since a form may name the category after the file. */
function checkOrDiscard(ctx: AccountContext, received: ReceivedFile, category: UploadCategory): void {
    try {
        checkRule(categoryRules[category], received);
    } catch (error) {
        discardFile(ctx, received.id);
        throw error;
    }
}

function insertion(accountId: string, file: ReceivedFile, category: UploadCategory, reuseKey: string | null): SQL {
    const extension = extensions[file.contentType];
    const row = {
        id: file.id,
        accountId,
        path: `${category}/${accountId}/${file.id}.${extension}`,
        category,
        originalName: file.name ?? `${file.id}.${extension}`,
        contentType: file.contentType,
        size: file.size,
        width: file.width,
        height: file.height,
        reuseKey,
        createdAt: file.receivedAt,
        updatedAt: file.receivedAt,
    } satisfies Partial<FileRow>;
    const columns = Object.keys(row).map((column) => sql.identifier(column));
    const values = Object.values(row).map((value) => sql`${value}`);
    return sql`INSERT INTO ${uploadedFiles} (${sql.join(columns, sql`, `)}) VALUES (${sql.join(values, sql`, `)})`;
}
