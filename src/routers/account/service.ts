import { eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { accounts, githubUsers, serviceAccountTokens, uploadedFiles } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import { avatarFile, isAvatarOfAccount, toAvatar } from '@/routers/account/avatar';
import { toGithub } from '@/routers/account/github';
import type { Profile, UpdateProfileInput } from '@/routers/account/schema';

/** The caller's own profile (contract 4.5). */
export async function getProfile(ctx: AccountContext): Promise<Profile> {
    return toProfile(ctx, await selectProfile(ctx));
}

/** Changes the fields that are given, null clearing a name; a taken username changes nothing (contract 4.5). */
export async function updateProfile(ctx: AccountContext, input: UpdateProfileInput) {
    const { accountId } = ctx.actor;
    const { firstName, lastName } = input;
    // Only names are cleared: a username of null is as good as none given (contract 13).
    const username = input.username ?? undefined;
    const given = Object.entries({ firstName, lastName, username }).filter(([, value]) => value !== undefined);
    if (given.length === 0) return { success: true as const, profile: await getProfile(ctx) };

    const assignments = given.map(([column, value]) => sql`${sql.identifier(column)} = ${value}`);
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`UPDATE ${accounts} SET ${sql.join(assignments, sql`, `)}, updatedAt = ${ctx.now()}
            WHERE id = ${accountId} AND NOT EXISTS (
                SELECT 1 FROM ${accounts} other WHERE other.username = ${username ?? null} COLLATE NOCASE
                    AND other.id <> ${accountId})
            RETURNING id`,
        reads: [selectProfile(ctx)],
    });
    const profile = await toProfile(ctx, reads[0]);
    const won = changed.length > 0;
    announce(ctx, {
        accountId,
        seq,
        updates: won ? [{ body: { t: 'update-account', id: accountId, ...Object.fromEntries(given) }, to: {} }] : [],
    });
    return won ? { success: true as const, profile } : { success: false as const, error: 'username-taken' as const };
}

function selectProfile({ db, actor }: AccountContext) {
    const services = sql<string>`(SELECT json_group_array(vendor) FROM (
        SELECT vendor FROM ${serviceAccountTokens} WHERE accountId = ${actor.accountId} ORDER BY vendor))`;
    return db
        .select({
            id: accounts.id,
            firstName: accounts.firstName,
            lastName: accounts.lastName,
            username: accounts.username,
            avatar: avatarFile,
            github: githubUsers.profile,
            connectedServices: services,
        })
        .from(accounts)
        .leftJoin(githubUsers, eq(githubUsers.id, accounts.githubUserId))
        .leftJoin(uploadedFiles, isAvatarOfAccount())
        .where(eq(accounts.id, actor.accountId));
}

type ProfileRows = Awaited<ReturnType<typeof selectProfile>>;

async function toProfile(ctx: AccountContext, [row]: ProfileRows): Promise<Profile> {
    if (!row) throw new ServiceError('UNAUTHORIZED', 'Unauthorized'); // the account is gone
    return {
        id: row.id,
        timestamp: ctx.now(),
        firstName: row.firstName,
        lastName: row.lastName,
        username: row.username,
        avatar: row.avatar && (await toAvatar(ctx, row.avatar)),
        github: toGithub(row.github),
        connectedServices: JSON.parse(row.connectedServices) as string[],
    };
}
