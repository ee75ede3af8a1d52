import * as z from 'zod';
import { Time, pageSize } from '@/utils/schema';

/** What a feed item says: `kind` and `type` hold the same word, since clients read one or the other (contract 13). */
export const FeedBody = z.looseObject({ kind: z.string(), type: z.string() });
export type FeedBody = z.infer<typeof FeedBody>;

/** An item of an account's feed; `repeatKey` is what a later item about the same thing replaces it by (contract 4.5). */
export const FeedItem = z.object({
    id: z.string(),
    body: FeedBody,
    repeatKey: z.string().nullable(),
    cursor: z.string().meta({ description: '`cursor_42`; for published clients `0-42`' }),
    createdAt: Time,
});
export type FeedItem = z.infer<typeof FeedItem>;

/** `cursor_42` or `0-42`; the service says of any other text that it is none. */
const FeedCursor = z.string();

export const ListFeedInput = z.object({
    /** Items older than this cursor. */
    before: FeedCursor.nullish(),
    /** Items newer than this cursor: those next to it. */
    after: FeedCursor.nullish(),
    limit: pageSize(200, 50),
});
export type ListFeedInput = z.infer<typeof ListFeedInput>;

export const ListFeedOutput = z.object({ items: z.array(FeedItem), hasMore: z.boolean() });
