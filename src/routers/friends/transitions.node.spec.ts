import { describe, expect, it } from 'vitest';
import { allPairs, transition } from '@/routers/friends/transitions';
import type { FriendAction } from '@/routers/friends/transitions';

/** What becomes of (mine, theirs), and the feed item it calls for. */
const ADD: Record<string, string> = {
    'none none': 'requested pending friend_request',
    'none requested': 'friend friend friend_accepted',
    'none pending': 'requested pending friend_request',
    'none friend': 'requested pending friend_request',
    'none rejected': 'requested pending friend_request',
    'requested none': 'requested pending friend_request',
    'requested requested': 'friend friend friend_accepted',
    'requested pending': 'requested pending friend_request',
    'requested friend': 'requested pending friend_request',
    'requested rejected': 'requested pending friend_request',
    'pending none': 'requested pending friend_request',
    'pending requested': 'friend friend friend_accepted',
    'pending pending': 'requested pending friend_request',
    'pending friend': 'requested pending friend_request',
    'pending rejected': 'requested pending friend_request',
    'friend none': 'requested pending friend_request',
    'friend requested': 'friend friend friend_accepted',
    'friend pending': 'requested pending friend_request',
    'friend friend': 'friend friend null',
    'friend rejected': 'requested pending friend_request',
    'rejected none': 'requested pending friend_request',
    'rejected requested': 'friend friend friend_accepted',
    'rejected pending': 'requested pending friend_request',
    'rejected friend': 'requested pending friend_request',
    'rejected rejected': 'requested pending friend_request',
};

const REMOVE: Record<string, string> = {
    'none none': 'none none null',
    'none requested': 'none requested null',
    'none pending': 'none pending null',
    'none friend': 'none friend null',
    'none rejected': 'none rejected null',
    'requested none': 'rejected none null',
    'requested requested': 'rejected requested null',
    'requested pending': 'rejected none null',
    'requested friend': 'rejected friend null',
    'requested rejected': 'rejected rejected null',
    'pending none': 'none none null',
    'pending requested': 'none none null',
    'pending pending': 'none none null',
    'pending friend': 'none none null',
    'pending rejected': 'none rejected null',
    'friend none': 'pending requested null',
    'friend requested': 'pending requested null',
    'friend pending': 'pending requested null',
    'friend friend': 'pending requested null',
    'friend rejected': 'pending requested null',
    'rejected none': 'rejected none null',
    'rejected requested': 'rejected requested null',
    'rejected pending': 'rejected pending null',
    'rejected friend': 'rejected friend null',
    'rejected rejected': 'rejected rejected null',
};

const pairs = allPairs();

describe.each([
    ['add', ADD],
    ['remove', REMOVE],
] as const)('%s', (action: FriendAction, table) => {
    it('has a rule for each of the 25 pairs', () => {
        expect(pairs.map(({ mine, theirs }) => `${mine} ${theirs}`)).toEqual(
            expect.arrayContaining(Object.keys(table)),
        );
        expect(pairs).toHaveLength(25);
    });

    it.each(pairs)('mine $mine, theirs $theirs', (pair) => {
        const { mine, theirs, notice } = transition(action, pair);
        expect(`${mine} ${theirs} ${notice}`).toBe(table[`${pair.mine} ${pair.theirs}`]);
    });
});

it('reaches, from strangers, only pairs in which both sides agree', () => {
    const seen = new Set(['none none']);
    const open = [...seen];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
        const pair = pairs.find(({ mine, theirs }) => `${mine} ${theirs}` === name);
        if (!pair) throw new Error(name);
        for (const action of ['add', 'remove'] as const) {
            const { mine, theirs } = transition(action, pair);
            const turned = transition(action, { mine: pair.theirs, theirs: pair.mine });
            for (const next of [`${mine} ${theirs}`, `${turned.theirs} ${turned.mine}`]) {
                if (!seen.has(next)) open.push(next);
                seen.add(next);
            }
        }
    }
    expect([...seen].sort()).toEqual([
        'friend friend',
        'none none',
        'none rejected',
        'pending requested',
        'rejected none',
        'requested pending',
    ]);
});
