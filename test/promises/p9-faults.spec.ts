import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { probeHubs } from '@test/helpers/hubs';
import { appendTexts, readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const hubs = probeHubs();
const server = startServer({ ACCOUNT_HUB: hubs.binding });
const STOCK = { 'X-Happy-Client': 'ios/1.7' };

// A failure is logged; what may be in those lines is P10's concern.
const logged = vi.spyOn(console, 'error');
beforeEach(() => void logged.mockClear().mockReturnValue());
afterEach(() => hubs.failNext(0));

interface Write {
    name: string;
    /** Account numbers that the write takes. */
    numbers: number;
    send(account: TestAccount, id: string): ReturnType<TestAccount['call']>;
    /** What a client is told that tries again after the write was committed; what it would have been told, unless said. */
    retried?: { status: number; body: object };
}

const WRITES: Write[] = [
    {
        name: 'create a session',
        numbers: 1,
        send: (a) => a.call('POST', '/v1/sessions', { tag: 'new', metadata: 'm' }),
    },
    {
        name: 'append through v3',
        numbers: 2,
        send: (a, id) =>
            a.call('POST', `/v3/sessions/${id}/messages`, {
                messages: ['a', 'b'].map((c) => ({ localId: c, content: c })),
            }),
    },
    {
        name: 'append through v1',
        numbers: 1,
        send: (a, id) => a.call('POST', `/v1/sessions/${id}/messages`, { localId: 'a', content: 'a' }),
    },
    {
        name: 'replace metadata',
        numbers: 1,
        send: (a, id) => a.call('PUT', `/v1/sessions/${id}/metadata`, { metadata: 'new', expectedVersion: 1 }),
        retried: { status: 200, body: { result: 'version-mismatch', version: 2, metadata: 'new' } },
    },
    {
        name: 'replace agent state',
        numbers: 1,
        send: (a, id) => a.call('PUT', `/v1/sessions/${id}/agent-state`, { agentState: 'new', expectedVersion: 0 }),
        retried: { status: 200, body: { result: 'version-mismatch', version: 1, agentState: 'new' } },
    },
    { name: 'archive', numbers: 0, send: (a, id) => a.call('POST', `/v1/sessions/${id}/archive`, { reason: 'r' }) },
    { name: 'stop', numbers: 0, send: (a, id) => a.call('DELETE', `/v1/sessions/${id}`) },
    {
        name: 'remove',
        numbers: 1,
        send: (a, id) => a.call('DELETE', `/v1/sessions/${id}`, undefined, STOCK),
        retried: { status: 404, body: { error: 'Session not found' } },
    },
];

describe('P9 a transient database error', () => {
    it.each(WRITES)(
        'before the commit writes and tells nothing, and the next try works: $name',
        async ({ send, numbers }) => {
            const { account, id } = await accountWithSession();
            const before = await everything(account, id);
            const attempts = hubs.attempts.length;
            server.db.failNext('before');
            expectUnavailable(await send(account, id));
            expect(await everything(account, id)).toEqual(before);
            expect(hubs.attempts).toHaveLength(attempts);
            expect((await send(account, id)).status).toBe(200);
            expect(await seqOf(server, account)).toBe(before.seq + numbers);
        },
    );

    it.each(WRITES)(
        'after the commit takes nothing back, and the next try finds it: $name',
        async ({ send, numbers, retried }) => {
            const { account, id } = await accountWithSession();
            server.db.failNext('after');
            expectUnavailable(await send(account, id));
            const committed = await everything(account, id);
            expect(committed.seq).toBe(2 + numbers);
            const again = await send(account, id);
            expect(again.status).toBe(retried?.status ?? 200);
            if (retried) expect(again.body).toMatchObject(retried.body);
            const after = await everything(account, id);
            expect([after.seq, after.messages, after.sessions.length]).toEqual([
                committed.seq,
                committed.messages,
                committed.sessions.length,
            ]);
            // Whoever tries again lets the hub know of numbers that it was never told.
            if (again.status === 200) expect(hubs.attempts.at(-1)).toMatchObject({ seq: committed.seq, updates: [] });
        },
    );

    it.each([
        '/v1/sessions',
        '/v2/sessions',
        '/v2/sessions/active',
        '/v1/sessions/{id}',
        '/v1/sessions/{id}/state',
        '/v1/sessions/{id}/messages',
        '/v2/sessions/{id}/messages',
        '/v3/sessions/{id}/messages',
    ])('is told as such to whoever reads %s', async (path) => {
        const { account, id } = await accountWithSession();
        server.db.failNext('before');
        expectUnavailable(await account.call('GET', path.replace('{id}', id)));
        expect((await account.call('GET', path.replace('{id}', id))).status).toBe(200);
    });

    it('while the token is looked up refuses nobody for good', async () => {
        const { account } = await accountWithSession();
        const elsewhere = startServer();
        elsewhere.db.failNext('before');
        const headers = { Authorization: `Bearer ${account.token}` };
        expect((await elsewhere.fetch('/v1/sessions', { headers })).status).toBe(503);
        expect((await elsewhere.fetch('/v1/sessions', { headers })).status).toBe(200);
    });

    it('is told to a tRPC client too', async () => {
        const { account } = await accountWithSession();
        server.db.failNext('before');
        await expect(createClient(server, account.token).sessions.list.query({})).rejects.toMatchObject({
            message: 'Database unavailable, try again',
            data: { httpStatus: 503, error: 'SERVICE_UNAVAILABLE' },
        });
    });
});

describe('P9 a publish that fails', () => {
    it.each([1, 3])('is tried again: %i failures are made up for', async (failures) => {
        const { account, id } = await accountWithSession();
        const earlier = hubs.attempts.length;
        hubs.failNext(failures);
        expect(await appendTexts(account, id, ['a'])).toMatchObject([{ seq: 2 }]);
        const attempts = hubs.attempts.slice(earlier);
        expect(attempts).toEqual(Array(failures + 1).fill(attempts[0]));
        expect(await updatesOf(server, account, 2)).toEqual(attempts[0]?.updates);
        expect(logged).toHaveBeenCalledTimes(failures);
    });

    it.each([WRITES[0], WRITES[1], WRITES[7]] as Write[])(
        'for good, after three more tries, leaves the write standing: $name',
        async ({ send, numbers }) => {
            const { account, id } = await accountWithSession();
            const earlier = hubs.attempts.length;
            hubs.failNext(4);
            expect((await send(account, id)).status).toBe(200);
            expect(hubs.attempts).toHaveLength(earlier + 4);
            expect(await seqOf(server, account)).toBe(2 + numbers);
            // The next write's number shows the hub that it has missed something.
            await createSession(account);
            const next = hubs.attempts.at(-1);
            expect(next).toMatchObject({ seq: 3 + numbers, updates: [{ update: { seq: 3 + numbers } }] });
        },
    );
});

async function accountWithSession() {
    const account = await createAccount(server);
    const id = await createSession(account);
    await appendTexts(account, id, ['first']);
    return { account, id };
}

/** What a session is like, and the counter of its account. */
async function everything(account: TestAccount, id: string) {
    const [sessions, state] = [
        await account.call('GET', '/v1/sessions'),
        await account.call('GET', `/v1/sessions/${id}/state`),
    ];
    const messages = state.status === 200 ? await readAll(account, id) : [];
    return { sessions: sessions.body.sessions, state: told(state.body), messages, seq: await seqOf(server, account) };
}

function told({ requestId: _, ...body }: Record<string, unknown>) {
    return body;
}

function expectUnavailable({ status, headers, body }: Awaited<ReturnType<TestAccount['call']>>): void {
    expect(status).toBe(503);
    expect(body).toEqual({
        error: 'Database unavailable, try again',
        code: 'SERVICE_UNAVAILABLE',
        requestId: expect.any(String),
    });
    expect(headers.get('Retry-After')).toBe('1');
}
