import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { act, bodiesOf, twoAccounts } from '@test/helpers/friends';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();
const DAY_MS = 24 * 60 * 60_000;

async function feedOf(account: TestAccount): Promise<[string, string][]> {
    const { body } = await account.call('GET', '/v1/feed');
    return body.items.map((item: { body: { kind: string }; cursor: string }) => [item.body.kind, item.cursor]);
}

describe('feed items of friends', () => {
    const clock = holdClock();

    it('a request shows once in 24 hours, and again after them in place of the old item', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        const shown = [['friend_request', 'cursor_1']];
        for (const wait of [0, DAY_MS / 2, DAY_MS / 2 - 1]) {
            clock.advance(wait);
            await act('add', a, b);
            expect(await feedOf(b)).toEqual(shown);
        }
        clock.advance(1);
        await act('add', a, b);
        expect(await feedOf(b)).toEqual([['friend_request', 'cursor_2']]);
        expect(await seqOf(server, a)).toBe(1);
        expect(await bodiesOf(server, b, 2)).toMatchObject([{ seq: 3, t: 'new-feed-post', counter: 2 }]);
    });

    it('withdrawing and asking again does not get round the 24 hours', async () => {
        const [a, b] = await twoAccounts(server);
        for (let i = 0; i < 3; i++) {
            await act('add', a, b);
            await act('remove', a, b);
        }
        expect(await feedOf(b)).toEqual([['friend_request', 'cursor_1']]);
    });

    it('counts each asker for itself', async () => {
        const [a, b] = await twoAccounts(server);
        const c = await createAccount(server);
        await act('add', a, b);
        await act('add', c, b);
        expect(await feedOf(b)).toHaveLength(2);
    });

    it('an acceptance shows to both at once', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        await act('add', b, a);
        expect(await feedOf(a)).toEqual([['friend_accepted', 'cursor_1']]);
        expect(await feedOf(b)).toEqual([
            ['friend_accepted', 'cursor_2'],
            ['friend_request', 'cursor_1'],
        ]);
    });

    it('counters have no gap or repeat under 50 parallel writes', async () => {
        const star = await createAccount(server);
        const fans = await Promise.all(Array.from({ length: 50 }, () => createAccount(server)));
        await Promise.all(fans.map((fan) => act('add', fan, star)));
        const told = await bodiesOf(server, star);
        expect(told.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
        const counters = told.filter(({ t }) => t === 'new-feed-post').map(({ counter }) => Number(counter));
        expect(counters.sort((x, y) => x - y)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
        const { body } = await star.call('GET', '/v1/feed');
        expect(body.items.map(({ cursor }: { cursor: string }) => cursor)).toEqual(
            Array.from({ length: 50 }, (_, i) => `cursor_${50 - i}`),
        );
    });
});
