import { and, eq } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { uploadedFiles } from '@/db/schema';
import { describeForLog } from '@/errors';
import type { FileRow } from '@/routers/uploads/view';
import { fileKey } from '@/storage/keys';
import { canThumbhash, thumbhash } from '@/storage/thumbhash';

/** Gives a stored picture its thumbhash, after the answer; without one where that cannot be done (contract 13, Files). */
export function addThumbhash(ctx: AccountContext, row: FileRow): void {
    const { contentType, size, width, height } = row;
    if (contentType === null || size === null || !canThumbhash({ contentType, size, width, height })) return;
    ctx.waitUntil(
        make(ctx, row.id, contentType).catch((error) =>
            ctx.log.error('no thumbhash made', { error: describeForLog(error) }),
        ),
    );
}

async function make(ctx: AccountContext, id: string, contentType: string): Promise<void> {
    const { accountId } = ctx.actor;
    const object = await ctx.files.get(fileKey(accountId, id));
    if (!object) return;
    const hash = await thumbhash(new Uint8Array(await new Response(object.body).arrayBuffer()), contentType);
    if (hash === null) return;
    await ctx.db
        .update(uploadedFiles)
        .set({ thumbhash: hash })
        .where(and(eq(uploadedFiles.id, id), eq(uploadedFiles.accountId, accountId)));
}
