import { describe, expect, it, vi } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { appendTexts, readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const clock = holdClock();

const texts = (...contents: string[]) => ({
    messages: contents.map((content) => ({ content, localId: `id of ${content}` })),
});

describe('POST /v3/sessions/:sessionId/messages', () => {
    it('appends messages as one block of seqs, in the order given', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        clock.advance(1000);
        const { status, body } = await account.call('POST', `/v3/sessions/${sid}/messages`, texts('a', 'b', 'c'));
        const now = Date.now();
        const facts = { id: expect.stringMatching(/^c[0-9a-z]{24}$/), createdAt: now, updatedAt: now };
        expect(status).toBe(200);
        expect(body).toEqual({
            messages: [
                { ...facts, seq: 1, localId: 'id of a' },
                { ...facts, seq: 2, localId: 'id of b' },
                { ...facts, seq: 3, localId: 'id of c' },
            ],
        });
        expect(await readAll(account, sid)).toMatchObject([
            { id: body.messages[0].id, seq: 1, content: { t: 'encrypted', c: 'a' } },
            { id: body.messages[1].id, seq: 2, content: { t: 'encrypted', c: 'b' } },
            { id: body.messages[2].id, seq: 3, content: { t: 'encrypted', c: 'c' } },
        ]);
        const { session } = (await account.call('GET', `/v1/sessions/${sid}`)).body;
        expect(session).toMatchObject({ seq: 3, updatedAt: now, activeAt: now - 1000 });
    });

    it('tells the session and user-scoped sockets of each message', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const { body } = await account.call('POST', `/v3/sessions/${sid}/messages`, texts('a', 'b'));
        const updates = await updatesOf(server, account, 1);
        const bodyOf = (i: number, c: string) => ({
            t: 'new-message',
            sid,
            message: { ...body.messages[i], content: { t: 'encrypted', c } },
        });
        const rest = { id: expect.any(String), createdAt: Date.now() };
        expect(updates).toEqual([
            { update: { ...rest, seq: 2, body: bodyOf(0, 'a') }, to: { session: sid } },
            { update: { ...rest, seq: 3, body: bodyOf(1, 'b') }, to: { session: sid } },
        ]);
    });

    it('numbers each session by itself', async () => {
        const account = await createAccount(server);
        for (const sid of [await createSession(account), await createSession(account)]) {
            expect(await appendTexts(account, sid, ['a', 'b'])).toMatchObject([{ seq: 1 }, { seq: 2 }]);
            expect(await appendTexts(account, sid, ['c'])).toMatchObject([{ seq: 3 }]);
        }
    });

    it('returns known localIds as they were stored, among new ones, by seq', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const first = await account.call('POST', `/v3/sessions/${sid}/messages`, texts('a', 'b'));
        clock.advance(1000);
        const again = { messages: [...texts('c', 'b').messages, { content: 'another', localId: 'id of a' }] };
        const { body } = await account.call('POST', `/v3/sessions/${sid}/messages`, again);
        const added = {
            id: expect.any(String),
            seq: 3,
            localId: 'id of c',
            createdAt: Date.now(),
            updatedAt: Date.now(),
        };
        expect(body).toEqual({ messages: [...first.body.messages, added] });
        expect((await readAll(account, sid)).map(({ content }) => content)).toEqual(
            ['a', 'b', 'c'].map((c) => ({ t: 'encrypted', c })),
        );
    });

    it('takes the first of several with one localId', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const messages = ['x', 'y', 'x'].map((localId, i) => ({ content: `${i}`, localId }));
        const { body } = await account.call('POST', `/v3/sessions/${sid}/messages`, { messages });
        expect(body.messages).toMatchObject([
            { seq: 1, localId: 'x' },
            { seq: 2, localId: 'y' },
        ]);
        expect((await readAll(account, sid)).map(({ content }) => content)).toMatchObject([{ c: '0' }, { c: '1' }]);
    });

    it('takes the same localId in two sessions for two messages', async () => {
        const account = await createAccount(server);
        for (const sid of [await createSession(account), await createSession(account)]) {
            const { body } = await account.call('POST', `/v3/sessions/${sid}/messages`, texts('a'));
            expect(body.messages).toMatchObject([{ seq: 1 }]);
        }
        expect(await seqOf(server, account)).toBe(4);
    });

    it('writes at most 5 rows for a message, 2 for each further one, none for a retry', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const rowsFor = async (input: object) => {
            server.db.rowsWritten = 0;
            expect((await account.call('POST', `/v3/sessions/${sid}/messages`, input)).status).toBe(200);
            return server.db.rowsWritten;
        };
        expect(await rowsFor(texts('a'))).toBeLessThanOrEqual(5);
        clock.advance(1);
        expect(await rowsFor(texts('b', 'c', 'd'))).toBeLessThanOrEqual(9);
        clock.advance(1);
        expect(await rowsFor(texts('a', 'b', 'c', 'd'))).toBe(0);
        expect(await seqOf(server, account)).toBe(5);
        expect(await updatesOf(server, account)).toHaveLength(5);
    });

    it('knows no other session', async () => {
        const account = await createAccount(server);
        const { status, body } = await account.call('POST', '/v3/sessions/none/messages', texts('a'));
        expect(status).toBe(404);
        expect(body).toMatchObject({ error: 'Session not found', code: 'NOT_FOUND' });
    });
});

describe('limits of v3 (contract 4)', () => {
    it('takes 100 messages, refuses 101 and none', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const many = (count: number) => texts(...Array.from({ length: count }, (_, i) => `${i}`));
        const full = await account.call('POST', `/v3/sessions/${sid}/messages`, many(100));
        expect(full.body.messages.map(({ seq }: { seq: number }) => seq)).toEqual(
            Array.from({ length: 100 }, (_, i) => i + 1),
        );
        for (const count of [101, 0]) {
            const { status, body } = await account.call('POST', `/v3/sessions/${sid}/messages`, many(count));
            expect([status, body.issues[0].path]).toEqual([400, 'messages']);
        }
    });

    it('takes ten messages of 1,000,000 bytes at once, again as a retry, and refuses a body past 10 MiB', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const messages = Array.from({ length: 10 }, (_, i) => ({ content: `${i}`.repeat(1_000_000), localId: `${i}` }));
        const first = await account.call('POST', `/v3/sessions/${sid}/messages`, { messages });
        expect(first.body.messages).toHaveLength(10);
        const retry = await account.call('POST', `/v3/sessions/${sid}/messages`, { messages });
        expect(retry.body).toEqual(first.body);
        const stored = await readAll(account, sid);
        expect(stored.map(({ content }) => content)).toEqual(messages.map(({ content: c }) => ({ t: 'encrypted', c })));

        const eleven = [...messages, { content: 'x'.repeat(500_000), localId: 'eleventh' }];
        const over = await account.call('POST', `/v3/sessions/${sid}/messages`, { messages: eleven });
        expect([over.status, over.body.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    });

    it('does not read stored contents, which may be large, to answer a retry', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const messages = Array.from({ length: 30 }, (_, i) => ({ content: 'x'.repeat(1_000_000), localId: `${i}` }));
        for (let i = 0; i < 30; i += 10) {
            await account.call('POST', `/v3/sessions/${sid}/messages`, { messages: messages.slice(i, i + 10) });
        }
        const again = messages.map(({ localId }) => ({ localId, content: 'short' }));
        const parse = vi.spyOn(JSON, 'parse');
        const { body } = await account.call('POST', `/v3/sessions/${sid}/messages`, { messages: again });
        const longest = Math.max(...parse.mock.calls.map(([text]) => text.length));
        parse.mockRestore();
        expect(longest).toBeLessThan(100_000);
        expect(body.messages.map(({ seq }: { seq: number }) => seq)).toEqual(
            Array.from({ length: 30 }, (_, i) => i + 1),
        );
    });

    it.each([
        ['the longest content', { content: 'x'.repeat(1_000_000) }],
        ['the longest content in bytes of UTF-8', { content: '😀'.repeat(250_000) }],
        ['the longest localId', { localId: 'é'.repeat(64) }],
        ['empty content', { content: '' }],
        ['content that doubles as JSON', { content: '"'.repeat(900_000) }],
        ['content that grows sixfold as JSON', { content: '\u0001'.repeat(310_000) }],
    ])('takes %s', async (_, input) => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const message = { content: 'x', localId: 'y', ...input };
        const { status } = await account.call('POST', `/v3/sessions/${sid}/messages`, { messages: [message] });
        expect(status).toBe(200);
        const { body } = await account.call('GET', `/v3/sessions/${sid}/messages`);
        expect(body.messages).toMatchObject([
            { localId: message.localId, content: { t: 'encrypted', c: message.content } },
        ]);
    });

    it.each([
        ['longer content', 'content', { content: 'x'.repeat(1_000_001) }],
        ['content longer in bytes of UTF-8', 'content', { content: `${'😀'.repeat(250_000)}x` }],
        ['content longer than a row as JSON', 'content', { content: '\u0001'.repeat(320_000) }],
        ['content with NUL', 'content', { content: 'a\0b' }],
        ['content with half a character', 'content', { content: '\ud800' }],
        ['content that is no text', 'content', { content: { t: 'encrypted', c: 'x' } }],
        ['no content', 'content', { content: undefined }],
        ['no localId', 'localId', { localId: null }],
        ['an empty localId', 'localId', { localId: '' }],
        ['a longer localId', 'localId', { localId: `${'é'.repeat(64)}x` }],
    ])('refuses %s, and the rest with it', async (_, field, input) => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const messages = [
            { content: 'good', localId: 'good' },
            { content: 'x', localId: 'y', ...input },
        ];
        const { status, body } = await account.call('POST', `/v3/sessions/${sid}/messages`, { messages });
        expect([status, body.issues[0].path]).toEqual([400, `messages.1.${field}`]);
        expect(await readAll(account, sid)).toEqual([]);
    });
});
