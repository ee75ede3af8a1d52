import { describe, expect, it } from 'vitest';
import { allPairs, transition } from '@/routers/friends/transitions';
import { act, bodiesOf, standing, twoAccounts } from '@test/helpers/friends';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();

/** Puts two accounts into any pair of states, as rows of a Node server may be. */
async function putInto(from: string, to: string, status: string): Promise<void> {
    await server.env.DB.prepare(
        'INSERT INTO UserRelationship (fromUserId, toUserId, status, createdAt, updatedAt) VALUES (?, ?, ?, 1, 1)',
    )
        .bind(from, to, status)
        .run();
}

describe.each(['add', 'remove'] as const)('the statements of %s do what the state machine says', (action) => {
    it.each(allPairs())('from mine $mine, theirs $theirs', async (pair) => {
        const [a, b] = await twoAccounts(server);
        await putInto(a.id, b.id, pair.mine);
        await putInto(b.id, a.id, pair.theirs);

        const next = transition(action, pair);
        expect(await act(action, a, b)).toBe(next.mine);
        expect(await standing(a, b)).toEqual([next.mine, next.theirs]);

        const sides = [
            { account: a, changed: next.mine !== pair.mine, post: next.notice === 'friend_accepted' },
            { account: b, changed: next.theirs !== pair.theirs, post: next.notice !== null },
        ];
        for (const { account, changed, post } of sides) {
            const told = await bodiesOf(server, account);
            expect(told.map(({ t }) => t)).toEqual([
                ...(changed ? ['relationship-updated'] : []),
                ...(post ? ['new-feed-post'] : []),
            ]);
            expect(await seqOf(server, account)).toBe(told.length);
            const { body } = await account.call('GET', '/v1/feed');
            expect(body.items.map((item: { body: { kind: string } }) => item.body.kind)).toEqual(
                post ? [next.notice] : [],
            );
        }
    });
});
