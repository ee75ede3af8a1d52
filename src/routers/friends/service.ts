import { desc, eq, inArray, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeBatch } from '@/db/batch';
import { accounts, userRelationships } from '@/db/schema';
import type { RelationshipStatus } from '@/db/schema/friends';
import type { UpdateBody } from '@/realtime/bodies';
import { announce } from '@/realtime/publish';
import { toFeedItem } from '@/routers/feed/view';
import { friendStatements } from '@/routers/friends/effects';
import type { FriendStepRows } from '@/routers/friends/effects';
import type { FriendInput } from '@/routers/friends/schema';
import { transition } from '@/routers/friends/transitions';
import type { FriendAction } from '@/routers/friends/transitions';
import { selectUsers, toUser } from '@/routers/users/view';

const LIST_LIMIT = 1000;

/** The caller's friends and open requests either way, friends first, then by the latest change; at most 1,000. */
export async function listFriends(ctx: AccountContext) {
    const { status, updatedAt } = userRelationships;
    const rows = await selectUsers(ctx)
        .where(inArray(status, ['friend', 'pending', 'requested']))
        // Whatever strangers ask, friends stay in the list.
        .orderBy(sql`${status} = 'friend' DESC`, desc(updatedAt))
        .limit(LIST_LIMIT);
    return { friends: await Promise.all(rows.map((row) => toUser(ctx, row))) };
}

/** Asks to be friends, or accepts the other's request (contract 4.5). */
export function addFriend(ctx: AccountContext, input: FriendInput) {
    return act(ctx, 'add', input);
}

/** Withdraws a request, turns one down or ends a friendship (contract 4.5). */
export function removeFriend(ctx: AccountContext, input: FriendInput) {
    return act(ctx, 'remove', input);
}

/** One batch changes both accounts: relationships, feed items and sequence numbers; then both are told. */
async function act(ctx: AccountContext, action: FriendAction, { uid: other }: FriendInput) {
    const { accountId: me } = ctx.actor;
    if (me === other) return { user: null };
    const now = ctx.now();
    const { written, reads } = await writeBatch(
        ctx.db,
        friendStatements({ action, me, other, now, feedIds: { mine: ctx.newId(), theirs: ctx.newId() } }),
        [
            selectUsers(ctx).where(eq(accounts.id, other)),
            ctx.db
                .select({ id: accounts.id, seq: accounts.seq })
                .from(accounts)
                .where(inArray(accounts.id, [me, other])),
        ],
    );
    const [user] = reads[0];
    if (!user) return { user: null };

    const statuses = new Map((written[0] as FriendStepRows['before']).map((row) => [row.fromUserId, row.status]));
    // No row means what a row with `none` does.
    const before = { mine: statuses.get(me) ?? 'none', theirs: statuses.get(other) ?? 'none' };
    const after = transition(action, before);
    const feedItems = written[2] as FriendStepRows['feedItems'];
    for (const { id: accountId, seq } of reads[1]) {
        const [peer, old, status] =
            accountId === me ? [other, before.mine, after.mine] : [me, before.theirs, after.theirs];
        const changed = status === old ? [] : [relationshipUpdated(accountId, peer, old, status, now)];
        const posted = feedItems.filter(({ userId }) => userId === accountId).map(newFeedPost);
        announce(ctx, { accountId, seq, updates: [...changed, ...posted].map((body) => ({ body, to: {} })) });
    }
    return { user: await toUser(ctx, user) };
}

function relationshipUpdated(
    accountId: string,
    peer: string,
    old: RelationshipStatus,
    status: RelationshipStatus,
    timestamp: number,
): UpdateBody {
    const action = old === 'none' ? 'created' : status === 'none' ? 'deleted' : 'updated';
    const ids = { uid: peer, fromUserId: accountId, toUserId: peer };
    return { t: 'relationship-updated', ...ids, status, action, timestamp };
}

function newFeedPost({ body, ...row }: FriendStepRows['feedItems'][number]): UpdateBody {
    const item = toFeedItem({ ...row, body: JSON.parse(body) as Record<string, unknown> });
    return { t: 'new-feed-post', ...item, counter: row.counter };
}
