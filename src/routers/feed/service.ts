import { and, asc, desc, eq, gt, lt } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { userFeedItems } from '@/db/schema';
import { parseFeedCursor } from '@/routers/feed/cursor';
import type { ListFeedInput } from '@/routers/feed/schema';
import { toFeedItem } from '@/routers/feed/view';

/**
 * A page of the caller's feed, newest first. With only `after` it holds the items next to that cursor, so that paging
 * on from the newest of them skips nothing, whatever arrives meanwhile (contract 4.5).
 */
export async function listFeed(ctx: AccountContext, { before, after, limit }: ListFeedInput) {
    const { counter } = userFeedItems;
    const upwards = after != null && before == null;
    const rows = await ctx.db
        .select()
        .from(userFeedItems)
        .where(
            and(
                eq(userFeedItems.userId, ctx.actor.accountId),
                before == null ? undefined : lt(counter, parseFeedCursor(before)),
                after == null ? undefined : gt(counter, parseFeedCursor(after)),
            ),
        )
        .orderBy(upwards ? asc(counter) : desc(counter))
        .limit(limit + 1);
    const page = rows.slice(0, limit);
    if (upwards) page.reverse();
    return { items: page.map(toFeedItem), hasMore: rows.length > limit };
}
