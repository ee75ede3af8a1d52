import { and, eq, ne, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { accounts } from '@/db/schema';
import { ServiceError } from '@/errors';
import type { SearchUsersInput, User, UserIdInput } from '@/routers/users/schema';
import { selectUsers, toUser } from '@/routers/users/view';

/** Sorts after every character that a name can have. */
const LAST_CHARACTER = '\u{10FFFF}';

/** Accounts whose username begins with the query, without case, by name; the caller is left out (contract 4.5). */
export async function searchUsers(ctx: AccountContext, { query, limit }: SearchUsersInput) {
    const name = sql`${accounts.username} COLLATE NOCASE`;
    const rows = await selectUsers(ctx)
        .where(
            and(
                // A range rather than LIKE: no wildcards to escape, and the index of unique names serves it.
                sql`${name} >= ${query}`,
                sql`${name} < ${query + LAST_CHARACTER}`,
                ne(accounts.id, ctx.actor.accountId),
            ),
        )
        .orderBy(name)
        .limit(limit);
    return { users: await Promise.all(rows.map((row) => toUser(ctx, row))) };
}

/**
 * Any account, by its id (contract 4.5).
 * @throws NOT_FOUND
 */
export async function getUser(ctx: AccountContext, { id }: UserIdInput): Promise<{ user: User }> {
    const [row] = await selectUsers(ctx).where(eq(accounts.id, id));
    if (!row) throw new ServiceError('NOT_FOUND', 'User not found');
    return { user: await toUser(ctx, row) };
}
