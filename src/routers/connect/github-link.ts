import { sql } from 'drizzle-orm';
import type { AccountContext, ServiceContext } from '@/context';
import { githubTokenPath } from '@/crypto/vault-paths';
import { writeBatch, writeForAccount } from '@/db/batch';
import { claimOnce, hasClaimed } from '@/db/repeat-keys';
import type { Once } from '@/db/repeat-keys';
import { accounts, githubUsers } from '@/db/schema';
import { announce } from '@/realtime/publish';
import type { GitHub } from '@/routers/account/schema';

/** An identity that proved itself, and whose it shall be. */
export interface GitHubLink {
    accountId: string;
    profile: GitHub;
    accessToken: string;
}

interface Unlinked {
    id: string;
    seq: number;
}

interface Linked extends Unlinked {
    firstName: string | null;
    lastName: string | null;
    username: string | null;
}

/**
 * Gives the identity to the account: takes it from the account that had it, and drops the one this account had. Names
 * that the account lacks are filled from the profile. One batch; both accounts are told (contract 4.6).
 * @returns false when there is no such account, and nothing happened
 */
export async function linkGithub(ctx: ServiceContext, link: GitHubLink): Promise<boolean> {
    const { accountId, profile } = link;
    const now = ctx.now();
    const githubId = String(profile.id);
    const token = await ctx.vault.encryptString(githubTokenPath(accountId), link.accessToken);
    const names = namesOf(profile);
    const nameless = sql`firstName IS NULL AND lastName IS NULL`;

    const { written } = await writeBatch(
        ctx.db,
        [
            sql`UPDATE ${accounts} SET githubUserId = NULL, seq = seq + 1, updatedAt = ${now}
                WHERE githubUserId = ${githubId} AND id <> ${accountId} RETURNING id, seq`,
            sql`DELETE FROM ${githubUsers} WHERE id <> ${githubId}
                AND id = (SELECT githubUserId FROM ${accounts} WHERE id = ${accountId})`,
            sql`INSERT INTO ${githubUsers} (id, profile, token, createdAt, updatedAt)
                SELECT ${githubId}, ${JSON.stringify(profile)}, ${token}, ${now}, ${now}
                FROM ${accounts} WHERE id = ${accountId}
                ON CONFLICT (id) DO UPDATE
                    SET profile = excluded.profile, token = excluded.token, updatedAt = excluded.updatedAt`,
            sql`UPDATE ${accounts} SET githubUserId = ${githubId}, seq = seq + 1, updatedAt = ${now},
                    firstName = CASE WHEN ${nameless} THEN ${names.firstName} ELSE firstName END,
                    lastName = CASE WHEN ${nameless} THEN ${names.lastName} ELSE lastName END,
                    username = coalesce(username, (SELECT ${names.username} WHERE NOT EXISTS (
                        SELECT 1 FROM ${accounts} other WHERE other.username = ${names.username} COLLATE NOCASE)))
                WHERE id = ${accountId} RETURNING id, seq, firstName, lastName, username`,
        ],
        [],
    );
    const [linked] = written[3] as Linked[];
    if (!linked) return false;

    for (const unlinked of written[0] as Unlinked[]) announceUnlinked(ctx, unlinked);
    const { id, seq, ...accountNames } = linked;
    announce(ctx, {
        accountId: id,
        seq,
        updates: [{ body: { t: 'update-account', id, github: profile, ...accountNames }, to: {} }],
    });
    return true;
}

/** Forgets the account's GitHub identity and its token; succeeds also when there was none. */
export async function unlinkGithub(ctx: AccountContext) {
    const { accountId } = ctx.actor;
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        // The account's reference to the row goes with it (ON DELETE SET NULL).
        main: sql`DELETE FROM ${githubUsers} WHERE id = (SELECT githubUserId FROM ${accounts} WHERE id = ${accountId})
            RETURNING id`,
    });
    if (changed.length > 0) announceUnlinked(ctx, { id: accountId, seq });
    else announce(ctx, { accountId, seq });
    return { success: true as const };
}

/** GitHub says that a person withdrew what they allowed: their identity and token go, once per delivery. */
export async function forgetGithubUser(ctx: ServiceContext, githubId: string, delivery: Once): Promise<void> {
    const first = hasClaimed(delivery);
    const { written } = await writeBatch(
        ctx.db,
        [
            claimOnce(delivery),
            sql`UPDATE ${accounts} SET githubUserId = NULL, seq = seq + 1, updatedAt = ${ctx.now()}
                WHERE githubUserId = ${githubId} AND ${first} RETURNING id, seq`,
            sql`DELETE FROM ${githubUsers} WHERE id = ${githubId} AND ${first}`,
        ],
        [],
    );
    for (const unlinked of written[1] as Unlinked[]) announceUnlinked(ctx, unlinked);
}

function announceUnlinked(ctx: ServiceContext, { id, seq }: Unlinked): void {
    announce(ctx, { accountId: id, seq, updates: [{ body: { t: 'update-account', id, github: null }, to: {} }] });
}

/** Names for an account that has none: the full name in two parts, the login if it can be a username here. */
function namesOf({ name, login }: GitHub) {
    const [firstName = '', ...rest] = name.trim().slice(0, 200).split(/\s+/);
    return {
        firstName: firstName || null,
        lastName: rest.join(' ') || null,
        username: /^[a-zA-Z0-9_-]{3,50}$/.test(login) ? login : null,
    };
}
