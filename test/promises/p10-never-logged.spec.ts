import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { probeHubs } from '@test/helpers/hubs';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const hubs = probeHubs();
const server = startServer({ LOG_LEVEL: 'debug', ACCOUNT_HUB: hubs.binding });

// Everything that anything says, on every stream; also keeps the tests silent.
const METHODS = ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const;
const spies = METHODS.map((method) => vi.spyOn(console, method));
beforeEach(() => spies.forEach((spy) => spy.mockClear().mockReturnValue()));
afterEach(() => spies.forEach((spy) => spy.mockClear()));

const said = () => spies.flatMap((spy) => spy.mock.calls).map((call) => call.map(String).join(' '));

describe('P10 opaque: never logged', () => {
    const MARKER = 'bWFya2VyIG9mIGEgc2VjcmV0';
    const WRITES: [name: string, send: (account: TestAccount, id: string) => Promise<unknown>][] = [
        [
            'creating a session',
            (a) =>
                a.call('POST', '/v1/sessions', {
                    tag: MARKER,
                    metadata: MARKER,
                    agentState: MARKER,
                    dataEncryptionKey: MARKER,
                }),
        ],
        [
            'appending through v1',
            (a, id) =>
                a.call('POST', `/v1/sessions/${id}/messages`, { content: { [MARKER]: MARKER }, localId: MARKER }),
        ],
        [
            'appending through v3',
            (a, id) =>
                a.call('POST', `/v3/sessions/${id}/messages`, { messages: [{ content: MARKER, localId: MARKER }] }),
        ],
        [
            'appending through tRPC',
            (a, id) =>
                createClient(server, a.token)
                    .messages.append.mutate({ sessionId: id, messages: [{ content: MARKER, localId: MARKER }] })
                    .catch((error: unknown) => error),
        ],
        [
            'replacing metadata',
            (a, id) => a.call('PUT', `/v1/sessions/${id}/metadata`, { metadata: MARKER, expectedVersion: 1 }),
        ],
        [
            'replacing agent state',
            (a, id) => a.call('PUT', `/v1/sessions/${id}/agent-state`, { agentState: MARKER, expectedVersion: 0 }),
        ],
        [
            'archiving',
            (a, id) => a.call('POST', `/v1/sessions/${id}/archive`, { reason: MARKER, originalError: MARKER }),
        ],
        ['reading a session', (a) => a.call('GET', `/v1/sessions/${MARKER}`)],
        ['reading a state', (a) => a.call('GET', `/v1/sessions/${MARKER}/state`)],
        ['a page of sessions', (a) => a.call('GET', `/v2/sessions?cursor=cursor_v1_${MARKER}`)],
        ['a page of messages', (a) => a.call('GET', `/v3/sessions/${MARKER}/messages`)],
    ];

    it.each(WRITES)('by %s', async (_, send) => {
        const { account, id } = await accountWithSession();
        await send(account, id);
        expect(revealing(account, 1)).toEqual([]);
    });

    it.each(WRITES)('by %s while the database fails', async (_, send) => {
        for (const when of ['before', 'after'] as const) {
            const { account, id } = await accountWithSession();
            server.db.failNext(when);
            await send(account, id);
            server.db.failBy(null);
            expect(revealing(account, 1)).toEqual([]);
        }
    });

    it('by a statement that the database refuses', async () => {
        const { account, id } = await accountWithSession();
        for (const message of [
            'D1_ERROR: UNIQUE constraint failed: SQLITE_CONSTRAINT',
            `D1_TYPE_ERROR: Type 'object' not supported for value '${MARKER}'`,
        ]) {
            for (const [, send] of WRITES) {
                server.db.failNext('before', message);
                await send(account, id);
            }
        }
        server.db.failNext('before');
        await account.call('GET', '/v1/sessions');
        expect(revealing(account, 1)).toEqual([]);
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
            account.call('GET', '/v1/sessions', undefined, {
                'X-Request-Id': `${MARKER} ${MARKER}`,
                Authorization: MARKER,
            }),
            account.call('POST', '/trpc/sessions.create', { tag: MARKER, metadata: { secret: MARKER } }),
            account.call('POST', '/trpc/sessions.create', `{"metadata": ${MARKER}`, json),
            account.call('POST', `/trpc/${MARKER}`, { metadata: MARKER }),
            account.call('GET', `/trpc/sessions.get?input=${MARKER}`),
        ];
        const statuses = (await Promise.all(refused)).map(({ status }) => status);
        expect(
            statuses.every((status) => status >= 400 && status < 500),
            statuses.join(),
        ).toBe(true);
        expect(revealing(account, refused.length)).toEqual([]);
    });

    it('by what is broken in the database', async () => {
        const { account, id } = await accountWithSession();
        await env.DB.prepare(
            'INSERT INTO SessionMessage (sessionId, seq, id, createdAt, updatedAt, content) VALUES (?, 1, ?, 0, 0, ?)',
        )
            .bind(id, MARKER, `${MARKER} is no JSON`)
            .run();
        for (const version of ['v1', 'v2', 'v3']) {
            expect((await account.call('GET', `/${version}/sessions/${id}/messages`)).body).toEqual({
                error: 'Internal server error',
                code: 'INTERNAL',
                requestId: expect.any(String),
            });
        }
        await createClient(server, account.token)
            .messages.recent.query({ id })
            .catch((error: unknown) => error);
        expect(revealing(account, 4)).toEqual([]);
    });

    it('by a publish that fails', async () => {
        const { account, id } = await accountWithSession();
        hubs.failNext(1);
        await account.call('POST', `/v3/sessions/${id}/messages`, { messages: [{ content: MARKER, localId: MARKER }] });
        expect(said().some((line) => line.includes('publish failed'))).toBe(true);
        expect(revealing(account, 1)).toEqual([]);
    });

    /** The lines that hold what was sent, of at least so many: else nobody listens. */
    function revealing(account: TestAccount, lines: number): string[] {
        const all = said();
        if (all.length < lines) throw new Error(`Only ${all.length} lines were logged`);
        const secrets = [MARKER, account.token, ...account.token.split('.').slice(1)];
        return all.filter((line) => secrets.some((secret) => line.includes(secret)));
    }
});

async function accountWithSession() {
    const account = await createAccount(server);
    return { account, id: await createSession(account) };
}
