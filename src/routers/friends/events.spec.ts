import { describe, expect, it } from 'vitest';
import { act, bodiesOf, twoAccounts } from '@test/helpers/friends';
import { startServer } from '@test/helpers/server';
import { updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('events of friends', () => {
    it('tells both accounts of their own side, with numbers of their own', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        const relationship = { t: 'relationship-updated', timestamp: expect.any(Number), action: 'created' };
        expect(await bodiesOf(server, a)).toEqual([
            { seq: 1, ...relationship, uid: b.id, fromUserId: a.id, toUserId: b.id, status: 'requested' },
        ]);
        expect(await bodiesOf(server, b)).toEqual([
            { seq: 1, ...relationship, uid: a.id, fromUserId: b.id, toUserId: a.id, status: 'pending' },
            {
                seq: 2,
                t: 'new-feed-post',
                id: expect.any(String),
                body: { kind: 'friend_request', type: 'friend_request', uid: a.id },
                cursor: 'cursor_1',
                counter: 1,
                repeatKey: `friend_request_${a.id}`,
                createdAt: expect.any(Number),
            },
        ]);
    });

    it('tells both of an acceptance, and of the end', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        await act('add', b, a);
        for (const [account, peer, after] of [
            [a, b, 1],
            [b, a, 2],
        ] as const) {
            expect(await bodiesOf(server, account, after)).toMatchObject([
                { seq: after + 1, t: 'relationship-updated', uid: peer.id, status: 'friend', action: 'updated' },
                {
                    seq: after + 2,
                    t: 'new-feed-post',
                    body: { kind: 'friend_accepted', type: 'friend_accepted', uid: peer.id },
                    repeatKey: `friend_accepted_${peer.id}`,
                },
            ]);
        }
        await act('remove', a, b);
        await act('remove', a, b);
        expect((await bodiesOf(server, a, 3)).map(({ status, action }) => [status, action])).toEqual([
            ['pending', 'updated'],
            ['none', 'deleted'],
        ]);
        expect((await bodiesOf(server, b, 4)).map(({ status, action }) => [status, action])).toEqual([
            ['requested', 'updated'],
            ['none', 'deleted'],
        ]);
    });

    it('tells of what was deleted as created when it begins again', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        await act('remove', b, a);
        await act('add', b, a);
        const told = await Promise.all([a, b].map((account) => bodiesOf(server, account)));
        const [ofA, ofB] = told.map((bodies) =>
            bodies.filter(({ t }) => t === 'relationship-updated').map(({ status, action }) => [status, action]),
        );
        expect(ofA).toEqual([
            ['requested', 'created'],
            ['none', 'deleted'],
            ['pending', 'created'],
        ]);
        expect(ofB).toEqual([
            ['pending', 'created'],
            ['none', 'deleted'],
            ['requested', 'created'],
        ]);
    });

    it('goes to user-scoped sockets only', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        const updates = [...(await updatesOf(server, a)), ...(await updatesOf(server, b))];
        expect(updates.map(({ to }) => to)).toEqual([{}, {}, {}]);
    });
});
