import { relationshipStatuses } from '@/db/schema/friends';
import type { RelationshipStatus } from '@/db/schema/friends';

/** How two accounts stand to each other: `mine` is the acting one's status towards the other, `theirs` the way back. */
export interface Pair {
    mine: RelationshipStatus;
    theirs: RelationshipStatus;
}

/** What an action makes of a pair, and which feed item it calls for: a request goes to the other, `friend_accepted` to both. */
export interface Transition extends Pair {
    notice: 'friend_request' | 'friend_accepted' | null;
}

/** What one account can do about another (contract 4.5). */
export type FriendAction = 'add' | 'remove';

/** The friend state machine: pure, total over all pairs (contract 4.5). */
export function transition(action: FriendAction, pair: Pair): Transition {
    return action === 'add' ? add(pair) : remove(pair);
}

/** Accepts the other's request, else makes one; asking again only reminds. Friends stay friends. */
function add({ mine, theirs }: Pair): Transition {
    if (theirs === 'requested') return { mine: 'friend', theirs: 'friend', notice: 'friend_accepted' };
    if (mine === 'friend' && theirs === 'friend') return { mine, theirs, notice: null };
    return { mine: 'requested', theirs: 'pending', notice: 'friend_request' };
}

/** Withdraws a request, ends a friendship (the other may be let in again) or turns a request down. */
function remove({ mine, theirs }: Pair): Transition {
    switch (mine) {
        case 'requested':
            // Nobody can accept what was withdrawn.
            return { mine: 'rejected', theirs: theirs === 'pending' ? 'none' : theirs, notice: null };
        case 'friend':
            return { mine: 'pending', theirs: 'requested', notice: null };
        case 'pending':
            return { mine: 'none', theirs: theirs === 'rejected' ? theirs : 'none', notice: null };
        default:
            return { mine, theirs, notice: null };
    }
}

/** Every pair there is. */
export function allPairs(): Pair[] {
    return relationshipStatuses.flatMap((mine) => relationshipStatuses.map((theirs) => ({ mine, theirs })));
}
