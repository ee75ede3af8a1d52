import { describe, expect, it } from 'vitest';
import { restRoutes } from '@/http/rest';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';

const server = startServer();
const STOCK = { 'X-Happy-Client': 'ios/1.7' };

type Operation = [status: number, method: string, path: string, body?: object, headers?: Record<string, string>];

const TEXT = { content: 'text', localId: 'new' };

/** Every operation of sessions and messages, in each of its outcomes. */
const OPERATIONS: Operation[] = [
    [200, 'GET', '/v1/sessions'],
    [200, 'GET', '/v2/sessions'],
    [200, 'GET', '/v2/sessions?cursor=cursor_v1_{id}&changedSince=0&limit=1'],
    [400, 'GET', '/v2/sessions?cursor=cursor_v1_none'],
    [200, 'GET', '/v2/sessions/active'],
    [200, 'POST', '/v1/sessions', { tag: 'new', metadata: 'm', agentState: 's', dataEncryptionKey: 'AAEC' }],
    [200, 'POST', '/v1/sessions', { tag: 'known', metadata: 'm' }],
    [200, 'GET', '/v1/sessions/{id}'],
    [404, 'GET', '/v1/sessions/none'],
    [200, 'GET', '/v1/sessions/{id}/state'],
    [404, 'GET', '/v1/sessions/none/state'],
    [200, 'DELETE', '/v1/sessions/{id}'],
    [404, 'DELETE', '/v1/sessions/none'],
    [200, 'DELETE', '/v1/sessions/{id}', undefined, STOCK],
    [404, 'DELETE', '/v1/sessions/none', undefined, STOCK],
    [200, 'POST', '/v1/sessions/{id}/archive', { reason: 'r' }],
    [404, 'POST', '/v1/sessions/none/archive'],
    [200, 'PUT', '/v1/sessions/{id}/metadata', { metadata: 'm', expectedVersion: 1 }],
    [200, 'PUT', '/v1/sessions/{id}/metadata', { metadata: 'm', expectedVersion: 9 }],
    [404, 'PUT', '/v1/sessions/none/metadata', { metadata: 'm', expectedVersion: 1 }],
    [200, 'PUT', '/v1/sessions/{id}/agent-state', { agentState: 's', expectedVersion: 0 }],
    [200, 'PUT', '/v1/sessions/{id}/agent-state', { agentState: 's', expectedVersion: 9 }],
    [404, 'PUT', '/v1/sessions/none/agent-state', { agentState: 's', expectedVersion: 0 }],
    [200, 'POST', '/v1/sessions/{id}/messages', { content: 'no localId' }],
    [200, 'POST', '/v1/sessions/{id}/messages', TEXT],
    [404, 'POST', '/v1/sessions/none/messages', TEXT],
    [200, 'GET', '/v1/sessions/{id}/messages'],
    [200, 'GET', '/v1/sessions/{id}/messages?sinceSeq=1'],
    [404, 'GET', '/v1/sessions/none/messages'],
    [200, 'GET', '/v2/sessions/{id}/messages'],
    [200, 'GET', '/v2/sessions/{id}/messages?cursor=cursor_v1_2&limit=1'],
    [404, 'GET', '/v2/sessions/none/messages'],
    [200, 'GET', '/v3/sessions/{sessionId}/messages'],
    [200, 'GET', '/v3/sessions/{sessionId}/messages?before_seq=2'],
    [404, 'GET', '/v3/sessions/none/messages'],
    [200, 'POST', '/v3/sessions/{sessionId}/messages', { messages: [TEXT, TEXT, { ...TEXT, localId: 'newer' }] }],
    [404, 'POST', '/v3/sessions/none/messages', { messages: [TEXT] }],
];

/** Operations that other tests count: they reach beyond the database. */
const ELSEWHERE = /^sessions\.(pushEvent|requestAttachment)/;

describe('D1 round trips', () => {
    it.each(OPERATIONS)('one once the token is known: %i %s %s %j', async (status, method, path, body, headers) => {
        const { account, fill } = await furnished();
        let answered: number | undefined;
        const roundTrips = await roundTripsOf(server, async () => {
            answered = (await account.call(method, fill(path), body, headers)).status;
        });
        expect([answered, roundTrips]).toEqual([status, 1]);
    });

    it.each(OPERATIONS.filter(([status]) => status === 200))(
        'two with a new token: %i %s %s %j',
        async (status, ...operation) => {
            const [method, path, body, headers] = operation;
            const { account, fill } = await furnished();
            // Another isolate: it has verified no token yet.
            const cold = startServer();
            const response = await cold.fetch(fill(path), {
                method,
                headers: {
                    Authorization: `Bearer ${account.token}`,
                    ...(body && { 'Content-Type': 'application/json' }),
                    ...headers,
                },
                ...(body && { body: JSON.stringify(body) }),
            });
            expect([response.status, cold.db.roundTrips]).toEqual([status, 2]);
        },
    );

    it('none for what is refused before', async () => {
        const { account, fill } = await furnished();
        const roundTrips = await roundTripsOf(server, async () => {
            await account.call('POST', '/v1/sessions', { tag: '' });
            await account.call('GET', fill('/v3/sessions/{id}/messages?after_seq=1&before_seq=2'));
            await account.call('GET', fill('/v2/sessions/{id}/messages?cursor=bad'));
            await account.call('GET', '/v1/sessions', undefined, { Authorization: 'Bearer none' });
            await account.call('GET', '/v1/nothing');
        });
        expect(roundTrips).toBe(0);
    });

    it('are counted for every procedure', () => {
        const counted = new Set(
            OPERATIONS.filter(([status]) => status === 200).map(([, method, path]) => `${method} ${pattern(path)}`),
        );
        const routes = restRoutes()
            .filter(
                ({ procedurePath }) => /^(sessions|messages)\./.test(procedurePath) && !ELSEWHERE.test(procedurePath),
            )
            .map(({ method, path }) => `${method} ${path}`);
        expect([...counted].sort()).toEqual(routes.sort());
    });
});

/** An account whose token is known here, with a session of two messages. */
async function furnished(): Promise<{ account: TestAccount; fill: (path: string) => string }> {
    const account = await createAccount(server);
    const id = await createSession(account, 'known');
    await appendTexts(account, id, ['one', 'two']);
    return { account, fill: (path) => path.replace(/\{\w+\}/g, id) };
}

/** Hono's spelling of a path, without its query. */
function pattern(path: string): string {
    return path.replace(/\?.*/, '').replace(/\{(\w+)\}/g, ':$1');
}
