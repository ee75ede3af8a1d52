import { and, eq } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { accounts, githubUsers, uploadedFiles, userRelationships } from '@/db/schema';
import { avatarFile, isAvatarOfAccount, toAvatar } from '@/routers/account/avatar';
import { toGithub } from '@/routers/account/github';
import type { User } from '@/routers/users/schema';

/** Reads accounts as the caller sees them, in one statement; the caller of this adds which ones. */
export function selectUsers({ db, actor }: AccountContext) {
    return db
        .select({
            id: accounts.id,
            firstName: accounts.firstName,
            lastName: accounts.lastName,
            username: accounts.username,
            avatar: avatarFile,
            github: githubUsers.profile,
            status: userRelationships.status,
        })
        .from(accounts)
        .leftJoin(
            userRelationships,
            and(eq(userRelationships.fromUserId, actor.accountId), eq(userRelationships.toUserId, accounts.id)),
        )
        .leftJoin(githubUsers, eq(githubUsers.id, accounts.githubUserId))
        .leftJoin(uploadedFiles, isAvatarOfAccount());
}

type UserRow = Awaited<ReturnType<typeof selectUsers>>[number];

/** A row of `selectUsers` as callers see it. */
export async function toUser(ctx: AccountContext, row: UserRow): Promise<User> {
    const github = toGithub(row.github);
    return {
        id: row.id,
        firstName: row.firstName ?? '',
        lastName: row.lastName,
        username: row.username ?? github?.login ?? '',
        avatar: row.avatar && (await toAvatar(ctx, row.avatar)),
        bio: github?.bio ?? null,
        status: row.status ?? 'none',
    };
}
