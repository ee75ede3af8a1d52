import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { appendTexts, sessionWith } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();

describe('GET /v3/sessions/:sessionId/messages', () => {
    it('shows messages as they were appended', async () => {
        const { account, sid } = await sessionWith(server, 0);
        const [facts] = await appendTexts(account, sid, ['text']);
        const { status, body } = await account.call('GET', `/v3/sessions/${sid}/messages`);
        expect(status).toBe(200);
        expect(body).toEqual({ messages: [{ ...facts, content: { t: 'encrypted', c: 'text' } }], hasMore: false });
    });

    it.each([
        ['from the beginning, ascending, when asked for nothing', '', [1, 2, 3, 4, 5], false],
        ['after a seq, ascending', '?after_seq=2', [3, 4, 5], false],
        ['after a seq, as many as asked for', '?after_seq=1&limit=2', [2, 3], true],
        ['after a seq, up to the last', '?after_seq=3&limit=2', [4, 5], false],
        ['after the last: none', '?after_seq=5', [], false],
        ['after what is still to come: none', '?after_seq=99', [], false],
        ['before a seq, descending', '?before_seq=4', [3, 2, 1], false],
        ['before a seq, as many as asked for', '?before_seq=5&limit=2', [4, 3], true],
        ['before a seq, down to the first', '?before_seq=3&limit=2', [2, 1], false],
        ['before the first: none', '?before_seq=1', [], false],
        ['before any seq: the newest', '?before_seq=2147483647&limit=2', [5, 4], true],
    ])('lists %s', async (_, query, seqs, hasMore) => {
        const { account, sid } = await sessionWith(server, 5);
        expect(await pageOf(account, sid, query)).toEqual({ seqs, hasMore });
    });

    it('lists 100 unless told otherwise, 500 at most', async () => {
        const { account, sid } = await sessionWith(server, 501);
        const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
        expect(await pageOf(account, sid, '')).toEqual({ seqs: range(1, 100), hasMore: true });
        expect(await pageOf(account, sid, '?limit=500')).toEqual({ seqs: range(1, 500), hasMore: true });
        expect(await pageOf(account, sid, '?after_seq=1&limit=500')).toEqual({ seqs: range(2, 501), hasMore: false });
    });

    it.each([
        'after_seq=1&before_seq=3',
        'after_seq=0&before_seq=1',
        'after_seq=-1',
        'before_seq=0',
        'after_seq=1.5',
        'after_seq=first',
        'after_seq=',
        'after_seq=1&after_seq=2',
        'after_seq=99999999999999999999',
        'limit=0',
        'limit=501',
        'limit=-1',
        'limit=1e2',
    ])('refuses %s', async (query) => {
        const { account, sid } = await sessionWith(server, 1);
        const { status, body } = await account.call('GET', `/v3/sessions/${sid}/messages?${query}`);
        expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    });

    it('takes null for nothing, where there is JSON', async () => {
        const { account, sid } = await sessionWith(server, 2);
        const client = createClient(server, account.token);
        const input = { sessionId: sid, after_seq: null, before_seq: 3, limit: null };
        expect((await client.messages.list.query(input)).messages.map(({ seq }) => seq)).toEqual([2, 1]);
    });

    it('knows no other session', async () => {
        const { account } = await sessionWith(server, 0);
        const { status, body } = await account.call('GET', '/v3/sessions/none/messages');
        expect([status, body.error]).toEqual([404, 'Session not found']);
    });
});

describe('content that is not encrypted', () => {
    it.each<[string, unknown]>([
        ['text', 'encrypted'],
        ['null', null],
        ['a list', ['encrypted']],
        ['an object of another kind', { t: 'plain', c: 'text' }],
        ['an object without text', { t: 'encrypted' }],
        ['an object whose text is none', { t: 'encrypted', c: { text: 1 } }],
        ['an object whose text is null', { t: 'encrypted', c: null }],
        ['an object with more beside its text', { t: 'encrypted', c: 'text', more: 1 }],
        ['an object with null beside its text', { t: 'encrypted', c: 'text', more: null }],
    ])('is left out, though v1, v2 and tRPC show it: %s', async (_, content) => {
        const { account, sid } = await sessionWith(server, 0);
        await account.call('POST', `/v1/sessions/${sid}/messages`, { content });
        expect(await pageOf(account, sid, '')).toEqual({ seqs: [], hasMore: false });
        for (const version of ['v1', 'v2']) {
            const { body } = await account.call('GET', `/${version}/sessions/${sid}/messages`);
            expect(body.messages).toMatchObject([{ seq: 1, content }]);
        }
        const client = createClient(server, account.token);
        expect((await client.messages.recent.query({ id: sid })).messages).toMatchObject([{ content }]);
        expect((await client.messages.page.query({ id: sid })).messages).toMatchObject([{ content }]);
    });

    it('does not cut a page short, or promise what does not follow', async () => {
        const { account, sid } = await sessionWith(server, 2);
        for (let i = 0; i < 5; i++)
            await account.call('POST', `/v1/sessions/${sid}/messages`, { content: `plain ${i}` });
        await appendTexts(account, sid, ['a', 'b']);
        await account.call('POST', `/v1/sessions/${sid}/messages`, { content: 'the last' });
        expect(await pageOf(account, sid, '?limit=3')).toEqual({ seqs: [1, 2, 8], hasMore: true });
        expect(await pageOf(account, sid, '?after_seq=2&limit=2')).toEqual({ seqs: [8, 9], hasMore: false });
        expect(await pageOf(account, sid, '?before_seq=9&limit=2')).toEqual({ seqs: [8, 2], hasMore: true });
        expect(await pageOf(account, sid, '?before_seq=8')).toEqual({ seqs: [2, 1], hasMore: false });
    });

    it('is not what differs only in the order of its fields', async () => {
        const { account, sid } = await sessionWith(server, 0);
        await account.call('POST', `/v1/sessions/${sid}/messages`, { content: { c: 'text', t: 'encrypted' } });
        const { body } = await account.call('GET', `/v3/sessions/${sid}/messages`);
        expect(body.messages[0].content).toEqual({ t: 'encrypted', c: 'text' });
    });
});

describe('a page of long messages', () => {
    it('ends at 8 MiB of content in every list, and the next one goes on there', async () => {
        const { account, sid } = await sessionWith(server, 0);
        for (let i = 0; i < 3; i++)
            await appendTexts(
                account,
                sid,
                Array.from({ length: 7 }, () => 'x'.repeat(1_000_000)),
            );
        const range = (from: number, to: number) =>
            Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => (from < to ? from + i : from - i));

        expect(await pageOf(account, sid, '?limit=500')).toEqual({ seqs: range(1, 9), hasMore: true });
        expect(await pageOf(account, sid, '?after_seq=9&limit=500')).toEqual({ seqs: range(10, 18), hasMore: true });
        expect(await pageOf(account, sid, '?after_seq=18&limit=500')).toEqual({ seqs: range(19, 21), hasMore: false });
        expect(await pageOf(account, sid, '?before_seq=22&limit=500')).toEqual({ seqs: range(21, 13), hasMore: true });
        expect(await pageOf(account, sid, '?before_seq=22&limit=2')).toEqual({ seqs: [21, 20], hasMore: true });

        const recent = await account.call('GET', `/v1/sessions/${sid}/messages`);
        expect(recent.body.messages.map(seqOfMessage)).toEqual(range(21, 13));
        const page = await account.call('GET', `/v2/sessions/${sid}/messages?limit=500`);
        expect(page.body.messages.map(seqOfMessage)).toEqual(range(21, 13));
        const next = await account.call('GET', `/v2/sessions/${sid}/messages?limit=500&cursor=${page.body.nextCursor}`);
        expect(next.body.messages.map(seqOfMessage)).toEqual(range(12, 4));
    });
});

const seqOfMessage = ({ seq }: { seq: number }) => seq;

async function pageOf(account: TestAccount, sid: string, query: string): Promise<{ seqs: number[]; hasMore: boolean }> {
    const { body } = await account.call('GET', `/v3/sessions/${sid}/messages${query}`);
    return { seqs: body.messages.map(seqOfMessage), hasMore: body.hasMore };
}
