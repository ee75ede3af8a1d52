import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { env } from 'cloudflare:workers';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { probeHubs } from '@test/helpers/hubs';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { updatesOf } from '@test/helpers/updates';

const hubs = probeHubs();
const server = startServer({ LOG_LEVEL: 'debug', ACCOUNT_HUB: hubs.binding });

// Everything that anything says, on every stream; also keeps the tests silent.
const METHODS = ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const;
const spies = METHODS.map((method) => vi.spyOn(console, method));
beforeEach(() => spies.forEach((spy) => spy.mockClear().mockReturnValue()));
afterEach(() => spies.forEach((spy) => spy.mockClear()));

const said = () => spies.flatMap((spy) => spy.mock.calls).map((call) => call.map(String).join(' '));

describe('P10 opaque: byte-exact', () => {
    it('texts and keys of every length of base64', async () => {
        const account = await createAccount(server);
        for (let length = 0; length <= 50; length++) {
            const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(length))));
            await expectExact(account, text, text);
        }
        for (const length of [1021, 1022, 1023, 1024]) {
            await expectExact(account, 'm', btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(length)))));
        }
    });

    it.each([
        ['beyond the basic plane', '😀𝄞👩‍👩‍👧‍👦'],
        ['composed and decomposed', 'é e\u0301 Å \u212b ﬁ'],
        ['right to left, with marks', '\u202eעברית\u200f العربية'],
        ['a byte order mark, alone and within', '\ufeffa\ufeff'],
        ['non-characters and replacement characters', '\ufffe\uffff\ufffd'],
        ['every control character but NUL', String.fromCharCode(...Array.from({ length: 31 }, (_, i) => i + 1), 127, 133)],
        ['line ends of every kind', '\r\n \n \r \u2028 \u2029'],
        ['white space at both ends', ' \t text \n'],
        ['quotes and escapes', `"'\\ \\u0041 \\n %s %00 ' OR 1=1 -- {"t":"encrypted"}`],
        ['what looks like a number or a flag', '0012e3'],
    ])('text %s', async (_, text) => {
        await expectExact(await createAccount(server), text, '');
    });

    it('1,000,000 bytes, as ASCII and as Unicode', async () => {
        const account = await createAccount(server);
        for (const text of [btoa('x'.repeat(750_000)), '😀é'.repeat(166_666) + 'abcd']) {
            expect(Buffer.byteLength(text)).toBe(1_000_000);
            const { body } = await account.call('POST', '/v1/sessions', { tag: text.slice(0, 8), metadata: text });
            const path = `/v1/sessions/${body.session.id}`;
            expect((await account.call('GET', path)).body.session.metadata === text).toBe(true);
            await account.call('POST', `/v3/sessions/${body.session.id}/messages`, { messages: [{ localId: 'x', content: text }] });
            const list = await account.call('GET', `/v3/sessions/${body.session.id}/messages`);
            expect(list.body.messages[0].content.c === text).toBe(true);
        }
    });
});

describe('P10 opaque: never logged', () => {
    const MARKER = 'bWFya2VyIG9mIGEgc2VjcmV0';
    const WRITES: [name: string, send: (account: TestAccount, id: string) => Promise<unknown>][] = [
        [
            'creating a session',
            (a) => a.call('POST', '/v1/sessions', { tag: MARKER, metadata: MARKER, agentState: MARKER, dataEncryptionKey: MARKER }),
        ],
        ['appending through v1', (a, id) => a.call('POST', `/v1/sessions/${id}/messages`, { content: { [MARKER]: MARKER }, localId: MARKER })],
        [
            'appending through v3',
            (a, id) => a.call('POST', `/v3/sessions/${id}/messages`, { messages: [{ content: MARKER, localId: MARKER }] }),
        ],
        [
            'appending through tRPC',
            (a, id) =>
                createClient(server, a.token)
                    .messages.append.mutate({ sessionId: id, messages: [{ content: MARKER, localId: MARKER }] })
                    .catch((error: unknown) => error),
        ],
        ['replacing metadata', (a, id) => a.call('PUT', `/v1/sessions/${id}/metadata`, { metadata: MARKER, expectedVersion: 1 })],
        ['replacing agent state', (a, id) => a.call('PUT', `/v1/sessions/${id}/agent-state`, { agentState: MARKER, expectedVersion: 0 })],
        ['archiving', (a, id) => a.call('POST', `/v1/sessions/${id}/archive`, { reason: MARKER, originalError: MARKER })],
        ['reading a session', (a) => a.call('GET', `/v1/sessions/${MARKER}`)],
        ['reading a state', (a) => a.call('GET', `/v1/sessions/${MARKER}/state`)],
        ['a page of sessions', (a) => a.call('GET', `/v2/sessions?cursor=cursor_v1_${MARKER}`)],
        ['a page of messages', (a) => a.call('GET', `/v3/sessions/${MARKER}/messages`)],
    ];

    it.each(WRITES)('by %s', async (_, send) => {
        const { account, id } = await accountWithSession();
        await send(account, id);
        expectSilence(account, 1);
    });

    it.each(WRITES)('by %s while the database fails', async (_, send) => {
        for (const when of ['before', 'after'] as const) {
            const { account, id } = await accountWithSession();
            server.db.failNext(when);
            await send(account, id);
            server.db.failBy(null);
            expectSilence(account, 1);
        }
    });

    it('by a statement that the database refuses', async () => {
        const { account, id } = await accountWithSession();
        for (const message of ['D1_ERROR: UNIQUE constraint failed: SQLITE_CONSTRAINT', `D1_TYPE_ERROR: Type 'object' not supported for value '${MARKER}'`]) {
            for (const [, send] of WRITES) {
                server.db.failNext('before', message);
                await send(account, id);
            }
        }
        server.db.failNext('before');
        await account.call('GET', '/v1/sessions');
        expectSilence(account, 1);
    });

    it('by what is refused', async () => {
        const { account, id } = await accountWithSession();
        const json = { 'Content-Type': 'application/json' };
        const refused = [
            account.call('POST', '/v1/sessions', { tag: '', metadata: MARKER, agentState: { secret: MARKER } }),
            account.call('POST', '/v1/sessions', { tag: 't', metadata: 'm', dataEncryptionKey: `!${MARKER}` }),
            account.call('POST', '/v1/sessions', { tag: 't', metadata: MARKER.repeat(50_000) }),
            account.call('POST', '/v1/sessions', `{"metadata": ${MARKER}`, json),
            account.call('POST', '/v1/sessions', MARKER, { 'Content-Type': MARKER }),
            account.call('POST', `/v3/sessions/${id}/messages`, { messages: [{ content: MARKER }], [MARKER]: 1 }),
            account.call('POST', `/v1/sessions/${id}/messages`, { content: `${MARKER}\0` }),
            account.call('GET', `/v2/sessions/${id}/messages?cursor=${MARKER}`),
            account.call('GET', `/v2/sessions?changedSince=${MARKER}`),
            account.call('GET', `/${MARKER}?${MARKER}=1`),
            account.call('GET', '/v1/sessions', undefined, { Authorization: `Bearer ${MARKER}` }),
            account.call('GET', '/v1/sessions', undefined, { Authorization: `Bearer ${account.token}${MARKER}` }),
            account.call('GET', '/v1/sessions', undefined, { 'X-Request-Id': `${MARKER} ${MARKER}`, Authorization: MARKER }),
            account.call('POST', '/trpc/sessions.create', { tag: MARKER, metadata: { secret: MARKER } }),
            account.call('POST', '/trpc/sessions.create', `{"metadata": ${MARKER}`, json),
            account.call('POST', `/trpc/${MARKER}`, { metadata: MARKER }),
            account.call('GET', `/trpc/sessions.get?input=${MARKER}`),
        ];
        const statuses = (await Promise.all(refused)).map(({ status }) => status);
        expect(statuses.every((status) => status >= 400 && status < 500), `${statuses.join()}`).toBe(true);
        expectSilence(account, refused.length);
    });

    it('by what is broken in the database', async () => {
        const { account, id } = await accountWithSession();
        await env.DB.prepare('INSERT INTO SessionMessage (sessionId, seq, id, createdAt, updatedAt, content) VALUES (?, 1, ?, 0, 0, ?)')
            .bind(id, MARKER, `${MARKER} is no JSON`)
            .run();
        for (const version of ['v1', 'v2', 'v3']) {
            expect((await account.call('GET', `/${version}/sessions/${id}/messages`)).body).toEqual({
                error: 'Internal server error',
                code: 'INTERNAL',
                requestId: expect.any(String),
            });
        }
        await createClient(server, account.token).messages.recent.query({ id }).catch((error: unknown) => error);
        expectSilence(account, 4);
    });

    it('by a publish that fails', async () => {
        const { account, id } = await accountWithSession();
        hubs.failNext(1);
        await account.call('POST', `/v3/sessions/${id}/messages`, { messages: [{ content: MARKER, localId: MARKER }] });
        expect(said().some((line) => line.includes('publish failed'))).toBe(true);
        expectSilence(account, 1);
    });

    /** At least so many lines were logged, so somebody listens, and none holds what was sent. */
    function expectSilence(account: TestAccount, lines: number): void {
        const all = said();
        expect(all.length).toBeGreaterThanOrEqual(lines);
        for (const secret of [MARKER, account.token, account.token.split('.')[1] ?? '', account.token.split('.')[2] ?? '']) {
            expect(all.filter((line) => line.includes(secret))).toEqual([]);
        }
    }
});

async function accountWithSession() {
    const account = await createAccount(server);
    return { account, id: await createSession(account) };
}

/** The text comes back as it was sent from wherever a client can put it, and so does the key, through both doors. */
async function expectExact(account: TestAccount, text: string, dataEncryptionKey: string): Promise<void> {
    const input = { tag: crypto.randomUUID(), metadata: text, agentState: text, dataEncryptionKey };
    const { id } = (await account.call('POST', '/v1/sessions', input)).body.session;
    const messages = [{ localId: 'v3', content: text }];
    await account.call('POST', `/v3/sessions/${id}/messages`, { messages });
    await account.call('POST', `/v1/sessions/${id}/messages`, { localId: 'v1', content: { [text]: [text] } });
    await account.call('PUT', `/v1/sessions/${id}/agent-state`, { agentState: `${text}!`, expectedVersion: 1 });

    const expected = { metadata: text, agentState: `${text}!`, dataEncryptionKey };
    const api = createClient(server, account.token);
    expect((await account.call('GET', `/v1/sessions/${id}`)).body.session).toMatchObject(expected);
    expect((await api.sessions.get.query({ id })).session).toMatchObject(expected);
    const contents = [{ t: 'encrypted', c: text }, { [text]: [text] }];
    const list = await account.call('GET', `/v1/sessions/${id}/messages?sinceSeq=0`);
    expect(list.body.messages.map(({ content }: { content: unknown }) => content)).toEqual(contents);
    expect((await api.messages.recent.query({ id, sinceSeq: 0 })).messages.map(({ content }) => content)).toEqual(contents);

    const told = (await updatesOf(server, account)).slice(-4).map(({ update }) => update.body);
    expect(told).toMatchObject([
        { t: 'new-session', metadata: text, agentState: text, dataEncryptionKey },
        { t: 'new-message', message: { content: contents[0] } },
        { t: 'new-message', message: { content: contents[1] } },
        { t: 'update-session', agentState: { value: `${text}!` } },
    ]);
}
