import { sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { uploadedFiles } from '@/db/schema';
import { describeForLog } from '@/errors';
import { announce } from '@/realtime/publish';
import { AVATAR_REUSE_KEY, toAvatar } from '@/routers/account/avatar';
import type { FileRow } from '@/routers/uploads/view';
import { fileKey } from '@/storage/keys';
import { canThumbhash, thumbhash } from '@/storage/thumbhash';

/**
 * Gives a stored picture its thumbhash, after the answer; without one where that cannot be done (contract 13, Files). An
 * avatar's is an update of the account.
 */
export function addThumbhash(ctx: AccountContext, row: FileRow): void {
    const { contentType, size, width, height } = row;
    if (contentType === null || size === null || !canThumbhash({ contentType, size, width, height })) return;
    ctx.waitUntil(
        make(ctx, row, contentType).catch((error) =>
            ctx.log.error('no thumbhash made', { error: describeForLog(error) }),
        ),
    );
}

async function make(ctx: AccountContext, row: FileRow, contentType: string): Promise<void> {
    const { id, accountId } = row;
    const object = await ctx.files.get(fileKey(accountId, id));
    if (!object) return;
    const hash = await thumbhash(new Uint8Array(await new Response(object.body).arrayBuffer()), contentType);
    if (hash === null) return;
    const isAvatar = row.reuseKey === AVATAR_REUSE_KEY;
    const avatar = await toAvatar(ctx, { ...row, thumbhash: hash });
    // A picture that was replaced meanwhile has no row any more, and nobody is told.
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`UPDATE ${uploadedFiles} SET thumbhash = ${hash} WHERE id = ${id} AND accountId = ${accountId} RETURNING id`,
        updatesPerRow: isAvatar ? 1 : 0,
    });
    const body = { t: 'update-account' as const, id: accountId, avatar };
    announce(ctx, { accountId, seq, updates: isAvatar ? changed.map(() => ({ body, to: {} })) : [] });
}
