import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { appendTexts, sessionWith } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';

const server = startServer();

describe('GET /v1/sessions/:id/messages', () => {
    it('shows messages as they were created', async () => {
        const { account, sid } = await sessionWith(server, 0);
        const created = await account.call('POST', `/v1/sessions/${sid}/messages`, { content: { a: 1 }, localId: 'x' });
        const { status, body } = await account.call('GET', `/v1/sessions/${sid}/messages`);
        expect([status, body]).toEqual([200, { messages: [created.body.message] }]);
    });

    it('lists the newest 150, newest first', async () => {
        const { account, sid } = await sessionWith(server, 152);
        expect(await seqsOf(account, sid, '')).toEqual(Array.from({ length: 150 }, (_, i) => 152 - i));
    });

    it('lists the 150 after sinceSeq, ascending', async () => {
        const { account, sid } = await sessionWith(server, 152);
        expect(await seqsOf(account, sid, '?sinceSeq=0')).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
        expect(await seqsOf(account, sid, '?sinceSeq=149')).toEqual([150, 151, 152]);
        expect(await seqsOf(account, sid, '?sinceSeq=152')).toEqual([]);
    });

    it.each(['-1', '1.5', 'first', ''])('refuses sinceSeq=%s', async (sinceSeq) => {
        const { account, sid } = await sessionWith(server, 0);
        const { status, body } = await account.call('GET', `/v1/sessions/${sid}/messages?sinceSeq=${sinceSeq}`);
        expect([status, body.issues[0].path]).toEqual([400, 'sinceSeq']);
    });

    it('knows no other session', async () => {
        const { account } = await sessionWith(server, 0);
        expect((await account.call('GET', '/v1/sessions/none/messages')).body.error).toBe('Session not found');
    });
});

describe('GET /v2/sessions/:id/messages', () => {
    it('lists messages page by page, newest first', async () => {
        const { account, sid } = await sessionWith(server, 5);
        const first = await pageOf(account, sid, 'limit=2');
        expect(first).toEqual({ seqs: [5, 4], nextCursor: 'cursor_v1_4' });
        // What comes meanwhile moves nothing.
        await appendTexts(account, sid, ['six']);
        const second = await pageOf(account, sid, `limit=2&cursor=${first.nextCursor}`);
        expect(second).toEqual({ seqs: [3, 2], nextCursor: 'cursor_v1_2' });
        expect(await pageOf(account, sid, `limit=2&cursor=${second.nextCursor}`)).toEqual({
            seqs: [1],
            nextCursor: null,
        });
    });

    it('has no further page after one that is just full, or an empty one', async () => {
        const { account, sid } = await sessionWith(server, 2);
        expect(await pageOf(account, sid, 'limit=2')).toEqual({ seqs: [2, 1], nextCursor: null });
        expect(await pageOf(account, sid, 'cursor=cursor_v1_1')).toEqual({ seqs: [], nextCursor: null });
    });

    it('holds 100 unless told otherwise', async () => {
        const { account, sid } = await sessionWith(server, 101);
        expect((await pageOf(account, sid, '')).seqs).toHaveLength(100);
        expect((await pageOf(account, sid, 'limit=500')).seqs).toHaveLength(101);
    });

    it.each([
        '',
        'cursor_v1_',
        'cursor_v1_x',
        'cursor_v1_-1',
        'cursor_v1_1.5',
        'cursor_v2_1',
        '5',
        `cursor_v1_${'9'.repeat(99)}`,
    ])('refuses the cursor "%s"', async (cursor) => {
        const { account, sid } = await sessionWith(server, 1);
        const { status, body } = await account.call('GET', `/v2/sessions/${sid}/messages?cursor=${cursor}`);
        expect([status, body.error, body.code]).toEqual([400, 'Invalid cursor format', 'VALIDATION_FAILED']);
    });

    it.each(['0', '501', 'many'])('refuses the limit %s', async (limit) => {
        const { account, sid } = await sessionWith(server, 0);
        expect((await account.call('GET', `/v2/sessions/${sid}/messages?limit=${limit}`)).status).toBe(400);
    });

    it('knows no other session', async () => {
        const { account } = await sessionWith(server, 0);
        expect((await account.call('GET', '/v2/sessions/none/messages')).body.error).toBe('Session not found');
    });
});

async function seqsOf(account: TestAccount, sid: string, query: string): Promise<number[]> {
    const { body } = await account.call('GET', `/v1/sessions/${sid}/messages${query}`);
    return body.messages.map(({ seq }: { seq: number }) => seq);
}

async function pageOf(account: TestAccount, sid: string, query: string) {
    const { body } = await account.call('GET', `/v2/sessions/${sid}/messages?${query}`);
    return { seqs: body.messages.map(({ seq }: { seq: number }) => seq), nextCursor: body.nextCursor };
}
