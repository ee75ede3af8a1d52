import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { accounts, userFeedItems, userRelationships } from '@/db/schema';
import type { RelationshipStatus } from '@/db/schema/friends';
import { allPairs, transition } from '@/routers/friends/transitions';
import type { FriendAction } from '@/routers/friends/transitions';

/** A request shows in the other's feed at most once in this time (contract 4.5). */
const NOTICE_EVERY_MS = 24 * 60 * 60_000;

/** One account acting on another, at a time, with the ids that feed items would get. */
export interface FriendStep {
    action: FriendAction;
    me: string;
    other: string;
    now: number;
    feedIds: { mine: string; theirs: string };
}

/** What the batch says of a relationship before it, of the numbers it took and of the feed items it wrote. */
export interface FriendStepRows {
    before: { fromUserId: string; status: RelationshipStatus }[];
    feedItems: { id: string; userId: string; counter: number; repeatKey: string; body: string; createdAt: number }[];
}

/**
 * The statements of a friend action, for one batch: state before, numbers of both accounts, feed items, relationships.
 * The relationships come last, so that every statement decides by the same state; one that finds nothing to change
 * takes no number.
 */
export function friendStatements(step: FriendStep): SQL[] {
    const { me, other, now } = step;
    const effects = friendEffects(step);
    return [
        sql`SELECT fromUserId, status FROM ${userRelationships}
            WHERE (fromUserId = ${me} AND toUserId = ${other}) OR (fromUserId = ${other} AND toUserId = ${me})`,
        sql`UPDATE ${accounts} SET seq = seq + e.changed + e.posted, feedSeq = feedSeq + e.posted
            FROM ${effects} e WHERE id = e.selfId`,
        sql`INSERT INTO ${userFeedItems} (id, userId, counter, repeatKey, body, createdAt, updatedAt)
            SELECT e.feedId, a.id, a.feedSeq, e.notice || '_' || e.peerId,
                json_object('kind', e.notice, 'type', e.notice, 'uid', e.peerId), ${now}, ${now}
            FROM ${effects} e CROSS JOIN ${accounts} a ON a.id = e.selfId WHERE e.posted
            ON CONFLICT (userId, repeatKey) DO UPDATE SET id = excluded.id, counter = excluded.counter,
                body = excluded.body, createdAt = excluded.createdAt, updatedAt = excluded.updatedAt
            RETURNING id, userId, counter, repeatKey, body, createdAt`,
        sql`INSERT INTO ${userRelationships}
                (fromUserId, toUserId, status, createdAt, updatedAt, acceptedAt, lastNotifiedAt)
            SELECT selfId, peerId, status, ${now}, ${now}, iif(status = 'friend', ${now}, NULL),
                iif(notice = 'friend_request', ${now}, NULL)
            FROM ${effects} WHERE true
            ON CONFLICT (fromUserId, toUserId) DO UPDATE SET status = excluded.status, updatedAt = excluded.updatedAt,
                acceptedAt = excluded.acceptedAt,
                lastNotifiedAt = coalesce(excluded.lastNotifiedAt, lastNotifiedAt)`,
    ];
}

/**
 * The state machine as a row source: a row for each side that gets a new status (`changed`) or a feed item (`posted`).
 * No row unless both accounts exist.
 */
function friendEffects({ action, me, other, now, feedIds }: FriendStep): SQL {
    const steps = JSON.stringify(allPairs().flatMap((pair) => sides(action, pair)));
    return sql`(SELECT selfId, peerId, feedId, status, notice, changed, notice IS NOT NULL AS posted FROM (
        SELECT self.id AS selfId, peer.id AS peerId, side.feedId, step.value ->> 'status' AS status,
            step.value ->> 'status' <> coalesce(own.status, 'none') AS changed,
            iif(step.value ->> 'notice' = 'friend_request' AND own.lastNotifiedAt > ${now - NOTICE_EVERY_MS},
                NULL, step.value ->> 'notice') AS notice
        FROM (SELECT 'mine' AS name, ${me} AS selfId, ${other} AS peerId, ${feedIds.mine} AS feedId
            UNION ALL SELECT 'theirs', ${other}, ${me}, ${feedIds.theirs}) side
        CROSS JOIN ${accounts} self ON self.id = side.selfId
        CROSS JOIN ${accounts} peer ON peer.id = side.peerId
        LEFT JOIN ${userRelationships} own ON own.fromUserId = self.id AND own.toUserId = peer.id
        LEFT JOIN ${userRelationships} back ON back.fromUserId = peer.id AND back.toUserId = self.id
        CROSS JOIN json_each(${steps}) step ON step.value ->> 'side' = side.name
            AND step.value ->> 'own' = coalesce(own.status, 'none')
            AND step.value ->> 'back' = coalesce(back.status, 'none')
        ) WHERE changed OR notice IS NOT NULL)`;
}

/** What an action does to a pair, as each of the two sides sees it; only sides it does something to. */
function sides(action: FriendAction, { mine, theirs }: ReturnType<typeof allPairs>[number]) {
    const next = transition(action, { mine, theirs });
    return [
        {
            side: 'mine',
            own: mine,
            back: theirs,
            status: next.mine,
            notice: next.notice === 'friend_request' ? null : next.notice,
        },
        { side: 'theirs', own: theirs, back: mine, status: next.theirs, notice: next.notice },
    ].filter(({ own, status, notice }) => status !== own || notice !== null);
}
