import type { FeedBody, FeedItem } from '@/routers/feed/schema';
import { feedCursor } from '@/routers/feed/cursor';

interface FeedRow {
    id: string;
    counter: number;
    repeatKey: string | null;
    body: Record<string, unknown>;
    createdAt: number;
}

/** A stored feed item as callers see it. */
export function toFeedItem({ id, counter, repeatKey, body, createdAt }: FeedRow): FeedItem {
    return { id, body: toFeedBody(body), repeatKey, cursor: feedCursor(counter), createdAt };
}

/** Rows of a Node server hold only `kind`. */
function toFeedBody(body: Record<string, unknown>): FeedBody {
    const word = body.kind ?? body.type;
    const kind = typeof word === 'string' ? word : 'unknown';
    return { ...body, kind, type: kind };
}
