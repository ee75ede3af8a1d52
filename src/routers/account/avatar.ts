import { and, eq, sql } from 'drizzle-orm';
import type { ServiceContext } from '@/context';
import { accounts, uploadedFiles } from '@/db/schema';
import type { Avatar } from '@/routers/account/schema';
import { avatarUrl } from '@/routers/uploads/avatar-url';

/** The reuse key under which an account's avatar is uploaded (contract 4.7, 9). */
export const AVATAR_REUSE_KEY = 'profile-avatar';

/** What a statement reads of an account's avatar; null altogether when there is none. */
export const avatarFile = {
    // A name of its own: D1's batches know columns by name only.
    id: sql<string>`${uploadedFiles.id}`.as('avatarId'),
    accountId: uploadedFiles.accountId,
    path: uploadedFiles.path,
    width: uploadedFiles.width,
    height: uploadedFiles.height,
    thumbhash: uploadedFiles.thumbhash,
};

/** Joins `UploadedFile` to `Account` so that `avatarFile` can be read in the same statement. */
export function isAvatarOfAccount() {
    return and(eq(uploadedFiles.accountId, accounts.id), eq(uploadedFiles.reuseKey, AVATAR_REUSE_KEY));
}

interface AvatarFile {
    id: string;
    accountId: string;
    path: string;
    width: number | null;
    height: number | null;
    thumbhash: string | null;
}

/** A stored avatar as callers see it (contract 13, Shapes). */
export async function toAvatar(ctx: ServiceContext, file: AvatarFile): Promise<Avatar> {
    const { id, path, width, height, thumbhash } = file;
    return { id, path, url: await avatarUrl(ctx, id), width, height, thumbhash };
}
