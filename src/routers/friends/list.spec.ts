import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { act, twoAccounts } from '@test/helpers/friends';
import { startServer } from '@test/helpers/server';

const server = startServer();

describe('GET /v1/friends', () => {
    it('lists friends first, then requests either way, and nobody else', async () => {
        const [me, friend] = await twoAccounts(server);
        const [asked, asks] = await twoAccounts(server);
        const turnedDown = await createAccount(server);
        await act('add', friend, me);
        await act('add', me, friend);
        await act('add', me, asked);
        await act('add', asks, me);
        await act('add', turnedDown, me);
        await act('remove', me, turnedDown);
        const { body } = await me.call('GET', '/v1/friends');
        const listed: [string, string][] = body.friends.map(({ id, status }: { id: string; status: string }) => [
            id,
            status,
        ]);
        expect(listed[0]).toEqual([friend.id, 'friend']);
        expect(new Map(listed)).toEqual(
            new Map([
                [friend.id, 'friend'],
                [asks.id, 'pending'],
                [asked.id, 'requested'],
            ]),
        );
        expect(body.friends[0]).toEqual({
            id: friend.id,
            firstName: '',
            lastName: null,
            username: '',
            avatar: null,
            bio: null,
            status: 'friend',
        });
    });

    it('P8 isolation: shows nothing of what others are to each other', async () => {
        const [a, b] = await twoAccounts(server);
        const stranger = await createAccount(server);
        await act('add', a, b);
        expect((await stranger.call('GET', '/v1/friends')).body).toEqual({ friends: [] });
        expect((await stranger.call('GET', `/v1/users/${b.id}`)).body.user.status).toBe('none');
        expect((await stranger.call('GET', '/v1/feed')).body).toEqual({ items: [], hasMore: false });
    });

    it('takes one round trip', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        expect(await roundTripsOf(server, () => a.call('GET', '/v1/friends'))).toBe(1);
    });
});
