import { beforeAll, describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { postToFeed } from '@test/helpers/feed';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();

interface Page {
    numbers: number[];
    hasMore: boolean;
}

async function page(account: TestAccount, query: string, headers?: Record<string, string>): Promise<Page> {
    const { status, body } = await account.call('GET', `/v1/feed${query}`, undefined, headers);
    expect(status).toBe(200);
    return {
        numbers: body.items.map(({ cursor }: { cursor: string }) => Number(/\d+$/.exec(cursor)?.[0])),
        hasMore: body.hasMore,
    };
}

async function post(account: TestAccount, count: number): Promise<void> {
    for (let i = 0; i < count; i++) await postToFeed(server, account, { kind: 'text', type: 'text', text: `${i}` });
}

describe('GET /v1/feed', () => {
    let seven: TestAccount;
    beforeAll(async () => {
        seven = await createAccount(server);
        await post(seven, 7);
    });

    it('is empty at first', async () => {
        const account = await createAccount(server);
        expect((await account.call('GET', '/v1/feed')).body).toEqual({ items: [], hasMore: false });
    });

    it('shows items whole, those of a Node server with both words', async () => {
        const account = await createAccount(server);
        await postToFeed(server, account, { kind: 'text', text: 'hello' }, 'greeting');
        expect((await account.call('GET', '/v1/feed')).body).toEqual({
            items: [
                {
                    id: expect.any(String),
                    body: { kind: 'text', type: 'text', text: 'hello' },
                    repeatKey: 'greeting',
                    cursor: 'cursor_1',
                    createdAt: 1701432000000,
                },
            ],
            hasMore: false,
        });
    });

    it.each<[string, number[], boolean]>([
        ['', [7, 6, 5, 4, 3, 2, 1], false],
        ['?limit=7', [7, 6, 5, 4, 3, 2, 1], false],
        ['?limit=3', [7, 6, 5], true],
        ['?before=cursor_5&limit=3', [4, 3, 2], true],
        ['?before=cursor_4&limit=3', [3, 2, 1], false],
        ['?before=cursor_1', [], false],
        ['?before=cursor_999', [7, 6, 5, 4, 3, 2, 1], false],
        ['?after=cursor_2&limit=3', [5, 4, 3], true],
        ['?after=cursor_4&limit=3', [7, 6, 5], false],
        ['?after=cursor_7', [], false],
        ['?after=cursor_0&limit=2', [2, 1], true],
        ['?after=cursor_2&before=cursor_6', [5, 4, 3], false],
        ['?after=cursor_1&before=cursor_7&limit=2', [6, 5], true],
        ['?before=0-5&limit=3', [4, 3, 2], true],
        ['?after=0-2&limit=3', [5, 4, 3], true],
    ])('answers %s with %j', async (query, numbers, hasMore) => {
        expect(await page(seven, query)).toEqual({ numbers, hasMore });
    });

    it('P8 isolation: is the caller’s own', async () => {
        expect(await page(await createAccount(server), '?after=cursor_0')).toEqual({ numbers: [], hasMore: false });
    });

    it('sends each dialect its cursors, and takes back what it sent', async () => {
        const { body: seed } = await seven.call('GET', '/v1/feed?limit=2');
        const stock = { 'X-Happy-Client': 'ios/1.7.0' };
        const { body: app } = await seven.call('GET', '/v1/feed?limit=2', undefined, stock);
        const cursors = (body: typeof seed) => body.items.map(({ cursor }: { cursor: string }) => cursor);
        expect(cursors(seed)).toEqual(['cursor_7', 'cursor_6']);
        expect(cursors(app)).toEqual(['0-7', '0-6']);
        expect(app.hasMore).toBe(true);
        expect(await page(seven, `?before=${cursors(app)[1]}&limit=2`, stock)).toEqual({
            numbers: [5, 4],
            hasMore: true,
        });
    });

    it('serves tRPC clients the same', async () => {
        const { feed } = createClient(server, seven.token);
        const { items, hasMore } = await feed.list.query({ before: 'cursor_3' });
        expect(items.map(({ cursor }) => cursor)).toEqual(['cursor_2', 'cursor_1']);
        expect(hasMore).toBe(false);
    });

    it('takes one round trip', async () => {
        expect(await roundTripsOf(server, () => seven.call('GET', '/v1/feed?after=0-1'))).toBe(1);
    });

    it.each([
        '',
        '7',
        'cursor_',
        'cursor_x',
        'cursor_-1',
        'cursor_1.5',
        '0-',
        '1-5',
        '0-5x',
        'CURSOR_5',
        'cursor_9999999999999999',
        `cursor_${'1'.repeat(58)}`,
        'cursor_1%00',
    ])('refuses the cursor "%.40s"', async (cursor) => {
        for (const side of ['before', 'after']) {
            const { status, body } = await seven.call('GET', `/v1/feed?${side}=${cursor}`);
            expect({ status, error: body.error }).toEqual({ status: 400, error: 'Invalid cursor format' });
            const text = decodeURIComponent(cursor);
            await expect(createClient(server, seven.token).feed.list.query({ [side]: text })).rejects.toThrow(
                'Invalid cursor format',
            );
        }
    });

    it.each(['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2'])('refuses %s', async (query) => {
        expect((await seven.call('GET', `/v1/feed?${query}`)).status).toBe(400);
    });
});

describe('paging the feed while items arrive', () => {
    it('upwards by `after` sees every item once, in order', async () => {
        const account = await createAccount(server);
        await post(account, 5);
        const seen: number[] = [];
        for (let cursor = 0, rounds = 0; rounds < 12; rounds++) {
            const { numbers } = await page(account, `?after=cursor_${cursor}&limit=2`);
            seen.push(...numbers.reverse());
            cursor = seen.at(-1) ?? 0;
            if (rounds < 4) await post(account, 2);
        }
        expect(seen).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
    });

    it('downwards by `before` sees every item that was there', async () => {
        const account = await createAccount(server);
        await post(account, 6);
        const seen: number[] = [];
        let more = await page(account, '?limit=2');
        seen.push(...more.numbers);
        while (more.hasMore) {
            await post(account, 1);
            more = await page(account, `?before=cursor_${seen.at(-1)}&limit=2`);
            seen.push(...more.numbers);
        }
        expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
    });
});
