import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { holdClock } from '@test/helpers/clock';
import { image, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();
const clock = holdClock();

/** Uploads files one after the other, some within one millisecond; returns their ids. */
async function uploadMany(account: TestAccount, count: number, category = 'files'): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
        if (i % 3 === 0) clock.advance(1);
        ids.push((await uploadRaw(server, account, image('gif'), { category })).body.file.id);
    }
    return ids;
}

/** All pages from the first on; `between` happens after each. */
async function readPages(
    account: TestAccount,
    query: string,
    between: () => Promise<unknown> = async () => {},
): Promise<string[][]> {
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
        const { status, body } = await account.call(
            'GET',
            `/v1/uploads?${query}${cursor === null ? '' : `&cursor=${cursor}`}`,
        );
        expect(status).toBe(200);
        expect(body.hasNext).toBe(body.nextCursor !== null);
        pages.push(body.files.map((file: { id: string }) => file.id));
        cursor = body.nextCursor;
        await between();
    } while (cursor !== null);
    return pages;
}

describe('the list of files', () => {
    it('is newest first, page by page, none twice and none left out', async () => {
        const account = await createAccount(server);
        const ids = await uploadMany(account, 10);
        const pages = await readPages(account, 'limit=4');
        expect(pages.map((page) => page.length)).toEqual([4, 4, 2]);
        expect(pages.flat().sort()).toEqual([...ids].sort());
        const { files } = (await account.call('GET', '/v1/uploads')).body;
        const times = files.map((file: { createdAt: number }) => file.createdAt);
        expect(times).toEqual([...times].sort((a, b) => b - a));
        expect(files.map((file: { id: string }) => file.id)).toEqual(pages.flat());
    });

    it('ends where it ends: a full last page has no next', async () => {
        const account = await createAccount(server);
        await uploadMany(account, 4);
        expect(await readPages(account, 'limit=2')).toHaveLength(2);
        expect((await (await createAccount(server)).call('GET', '/v1/uploads')).body).toEqual({
            files: [],
            nextCursor: null,
            hasNext: false,
        });
    });

    it('of a category holds that category only', async () => {
        const account = await createAccount(server);
        const avatars = await uploadMany(account, 3, 'avatars');
        await uploadMany(account, 3);
        expect((await readPages(account, 'category=avatars&limit=2')).flat().sort()).toEqual([...avatars].sort());
        expect((await readPages(account, 'category=documents')).flat()).toEqual([]);
    });

    it('pages on while files are uploaded, and while any are deleted, the last one of a page too', async () => {
        const account = await createAccount(server);
        const ids = await uploadMany(account, 9);
        const seen: string[] = [];
        const pages = await readPages(account, 'limit=2', async () => {
            await uploadMany(account, 1);
            const { files } = (await account.call('GET', '/v1/uploads?limit=200')).body;
            const last = files.filter((file: { id: string }) => ids.includes(file.id) && !seen.includes(file.id))[1];
            if (last) seen.push(last.id);
            if (last) await account.call('DELETE', `/v1/uploads/${last.id}`);
        });
        const listed = pages.flat();
        expect(new Set(listed).size).toBe(listed.length);
        // What was there from first to last was listed.
        for (const id of ids.filter((candidate) => !seen.includes(candidate))) expect(listed).toContain(id);
    });

    it('costs one round trip a page', async () => {
        const account = await createAccount(server);
        await uploadMany(account, 3);
        const { nextCursor } = (await account.call('GET', '/v1/uploads?limit=1')).body;
        expect(await roundTripsOf(server, () => account.call('GET', `/v1/uploads?limit=1&cursor=${nextCursor}`))).toBe(
            1,
        );
    });

    it('is there over tRPC too', async () => {
        const account = await createAccount(server);
        const id = (await uploadMany(account, 1))[0]!;
        const client = createClient(server, account.token);
        expect((await client.uploads.list.query({})).files.map((file) => file.id)).toEqual([id]);
        expect((await client.uploads.get.query({ id: id })).file.contentType).toBe('image/gif');
        expect(await client.uploads.delete.mutate({ id: id })).toEqual({ success: true });
        await expect(client.uploads.get.query({ id: id })).rejects.toMatchObject({
            message: 'File not found',
        });
    });
});

describe('what is refused', () => {
    it.each([
        'x',
        'cursor_v1_',
        'cursor_v1_abc',
        'cursor_v1_5-',
        'cursor_v1_-5-x',
        'cursor_v1_1-a%27%20OR%201',
        'cursor_v1_99999999999999999999-a',
        'cursor_v1_1-a%00',
        `cursor_v1_1-${'a'.repeat(300)}`,
    ])('the cursor %.40s', async (cursor) => {
        const account = await createAccount(server);
        const { status, body } = await account.call('GET', `/v1/uploads?cursor=${cursor}`);
        expect([status, body.error]).toEqual([400, 'Invalid cursor format']);
    });

    it.each(['limit=0', 'limit=201', 'limit=x', 'category=all'])('%s', async (query) => {
        const account = await createAccount(server);
        expect((await account.call('GET', `/v1/uploads?${query}`)).status).toBe(400);
    });
});
