import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const clock = holdClock();
const MB = 1_000_000;

describe('POST /v1/sessions/:id/messages', () => {
    it('appends one message, and tells the session and user-scoped sockets', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        clock.advance(1000);
        const input = { localId: 'mine', content: { any: ['JSON', 1.5, null, true] } };
        const { status, body } = await account.call('POST', `/v1/sessions/${sessionId}/messages`, input);
        expect(status).toBe(200);
        const now = Date.now();
        const message = {
            id: expect.any(String),
            localId: 'mine',
            seq: 1,
            content: input.content,
            createdAt: now,
            updatedAt: now,
        };
        expect(body).toEqual({ message: { ...message, sessionId } });
        const [sent] = await updatesOf(server, account, 1);
        expect(sent?.update.body).toEqual({
            t: 'new-message',
            sid: sessionId,
            message: { ...message, id: body.message.id },
        });
        expect(sent?.to).toEqual({ session: sessionId });
    });

    it('returns the stored message for a known localId, whatever door it came through', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const [stored] = await appendTexts(account, sid, ['first']);
        clock.advance(1000);
        const input = { localId: stored?.localId, content: 'second' };
        const { body } = await account.call('POST', `/v1/sessions/${sid}/messages`, input);
        expect(body.message).toEqual({ ...stored, sessionId: sid, content: { t: 'encrypted', c: 'first' } });
        expect(await seqOf(server, account)).toBe(2);
    });

    it.each([[{ localId: null }], [{}]])('takes messages without a localId for different ones: %j', async (without) => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        for (const seq of [1, 2]) {
            const { body } = await account.call('POST', `/v1/sessions/${sid}/messages`, {
                content: 'same',
                ...without,
            });
            expect(body.message).toMatchObject({ seq, localId: null });
        }
    });

    it('knows no other session', async () => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/sessions/none/messages', { content: 'x' });
        expect(body).toMatchObject({ error: 'Session not found', code: 'NOT_FOUND' });
    });
});

describe('content of any JSON', () => {
    it.each<[string, unknown]>([
        ['null', null],
        ['a number', 1.5e300],
        ['a flag', false],
        ['an empty text', ''],
        ['a text of quotes, escapes and Unicode', '"\\\\u0000 \\ud800 \u0001 é😀\u2028'],
        ['a list', [1, [2, [3]]]],
        ['an object with odd keys', JSON.parse('{"__proto__": {"a": 1}, "": 2, "constructor": 3, "\\"": 4}')],
        ['nesting of 499 levels', JSON.parse(`${'['.repeat(499)}1${']'.repeat(499)}`)],
        ['a text of 1,000,000 bytes', 'é'.repeat(MB / 2)],
        ['an encrypted text of 1,000,000 bytes', { t: 'encrypted', c: 'x'.repeat(MB) }],
        ['other JSON of 1,000,000 bytes', { x: 'x'.repeat(MB - 8) }],
        ['a text that nearly doubles as JSON', '\n'.repeat(900_000)],
    ])('is stored and returned as it is: %s', async (_, content) => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const rest = await account.call('POST', `/v1/sessions/${sid}/messages`, { content, localId: 'x' });
        expect(rest.status).toBe(200);
        expect(JSON.stringify(rest.body.message.content)).toBe(JSON.stringify(content));
        // What was stored comes back, not what was sent again.
        const client = createClient(server, account.token);
        const stored = await client.messages.create.mutate({ id: sid, content: 'again', localId: 'x' });
        expect(JSON.stringify(stored.message.content)).toBe(JSON.stringify(content));
        for (const version of ['v1', 'v2']) {
            const { body } = await account.call('GET', `/${version}/sessions/${sid}/messages`);
            expect(JSON.stringify(body.messages[0].content)).toBe(JSON.stringify(content));
        }
        expect((await account.call('GET', `/v3/sessions/${sid}/messages`)).status).toBe(200);
    });

    it.each<[string, unknown]>([
        ['none', undefined],
        ['a longer text', 'x'.repeat(MB + 1)],
        ['a text longer in bytes of UTF-8', `${'é'.repeat(MB / 2)}x`],
        ['a longer encrypted text', { t: 'encrypted', c: 'x'.repeat(MB + 1) }],
        ['longer JSON', { x: 'x'.repeat(MB - 7) }],
        ['an encrypted text with more beside it', { t: 'encrypted', c: 'x'.repeat(MB), more: 1 }],
        ['a text longer than a row as JSON', '\n'.repeat(MB - 1)],
        ['nesting of 501 levels', JSON.parse(`${'['.repeat(501)}1${']'.repeat(501)}`)],
        ['NUL', { deep: ['a\0b'] }],
        ['NUL in a key', { 'a\0b': 1 }],
        ['half a character', ['\udc00']],
    ])('is refused: %s', async (_, content) => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const { status, body } = await account.call('POST', `/v1/sessions/${sid}/messages`, { content });
        expect([status, body.issues[0].path]).toEqual([400, 'content']);
        expect((await account.call('GET', `/v1/sessions/${sid}`)).body.session.seq).toBe(0);
    });

    it('is refused without an error of ours when nested without end', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const body = `{"content":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
        expect(
            (await account.call('POST', `/v1/sessions/${sid}/messages`, body, { 'Content-Type': 'application/json' }))
                .status,
        ).toBe(400);
    });
});
