import { TRPCClientError, createTRPCClient, httpBatchLink, httpLink } from '@trpc/client';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AppRouter } from '@/routers';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();
let account: TestAccount;
let sid: string;

beforeAll(async () => {
    account = await createAccount(server);
    sid = await createSession(account);
});

const links = { httpLink, httpBatchLink };

/** A real tRPC client over this server, by one of the two links. */
function clientBy(link: keyof typeof links, token: string | undefined = account.token) {
    return createTRPCClient<AppRouter>({
        links: [
            links[link]({
                url: 'https://happy.test/trpc',
                headers: { Authorization: `Bearer ${token}` },
                fetch: (url, init) => server.fetch(url as string, init as RequestInit),
            }),
        ],
    });
}

type Client = ReturnType<typeof clientBy>;

async function failureOf(work: Promise<unknown>) {
    const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
    );
    if (!(error instanceof TRPCClientError)) throw new Error('The call did not fail as tRPC clients know it');
    return { message: error.message, ...(error.data as Record<string, unknown>) } as Record<string, unknown>;
}

const localId = 'both-doors';
const operations: [string, (client: Client) => Promise<unknown>, string, string, unknown?][] = [
    ['sessions.list', (c) => c.sessions.list.query({}), 'GET', '/v1/sessions'],
    ['sessions.page', (c) => c.sessions.page.query({ limit: 1 }), 'GET', '/v2/sessions?limit=1'],
    ['sessions.active', (c) => c.sessions.active.query({}), 'GET', '/v2/sessions/active'],
    ['sessions.get', (c) => c.sessions.get.query({ id: sid }), 'GET', '/v1/sessions/:sid'],
    ['sessions.state', (c) => c.sessions.state.query({ id: sid }), 'GET', '/v1/sessions/:sid/state'],
    [
        'sessions.updateMetadata (mismatch)',
        (c) => c.sessions.updateMetadata.mutate({ id: sid, metadata: 'bQ==', expectedVersion: 99 }),
        'PUT',
        '/v1/sessions/:sid/metadata',
        { metadata: 'bQ==', expectedVersion: 99 },
    ],
    [
        'messages.create',
        (c) => c.messages.create.mutate({ id: sid, localId, content: { any: ['json', null] } }),
        'POST',
        '/v1/sessions/:sid/messages',
        { localId, content: { any: ['json', null] } },
    ],
    [
        'messages.append',
        (c) => c.messages.append.mutate({ sessionId: sid, messages: [{ content: 'Yw==', localId: 'appended' }] }),
        'POST',
        '/v3/sessions/:sid/messages',
        { messages: [{ content: 'Yw==', localId: 'appended' }] },
    ],
    ['messages.recent', (c) => c.messages.recent.query({ id: sid }), 'GET', '/v1/sessions/:sid/messages'],
    ['messages.page', (c) => c.messages.page.query({ id: sid }), 'GET', '/v2/sessions/:sid/messages'],
    [
        'messages.list',
        (c) => c.messages.list.query({ sessionId: sid, after_seq: 0 }),
        'GET',
        '/v3/sessions/:sid/messages?after_seq=0',
    ],
];

describe.each(['httpLink', 'httpBatchLink'] as const)('a tRPC client by %s and REST', (link) => {
    it.each(operations)('agree on %s', async (_, byTrpc, method, path, body) => {
        const rest = await account.call(method, path.replace(':sid', sid), body);
        expect(rest.status).toBe(200);
        expect(await byTrpc(clientBy(link))).toEqual(rest.body);
    });

    it('agree on what does not exist', async () => {
        const rest = await account.call('GET', '/v1/sessions/none');
        const trpc = await failureOf(clientBy(link).sessions.get.query({ id: 'none' }));
        expect(trpc).toMatchObject({ message: rest.body.error, error: rest.body.code, httpStatus: rest.status });
        expect(rest.status).toBe(404);
    });

    it('agree on what is invalid', async () => {
        const rest = await account.call('POST', '/v1/sessions', { tag: '', metadata: 'a\0' });
        const trpc = await failureOf(clientBy(link).sessions.create.mutate({ tag: '', metadata: 'a\0' }));
        expect(trpc).toMatchObject({ message: rest.body.error, error: rest.body.code, issues: rest.body.issues });
        expect(trpc.httpStatus).toBe(rest.status);
    });

    it('agree on who is nobody', async () => {
        const trpc = await failureOf(clientBy(link, 'nonsense').sessions.list.query({}));
        expect(trpc).toMatchObject({
            message: 'Unauthorized',
            code: 'UNAUTHORIZED',
            error: 'UNAUTHORIZED',
            httpStatus: 401,
        });
    });

    it('agree on what is too large', async () => {
        const large = { tag: 'large', metadata: 'x'.repeat(10 * 1024 * 1024) };
        const rest = await account.call('POST', '/v1/sessions', large);
        const trpc = await failureOf(clientBy(link).sessions.create.mutate(large));
        expect(trpc).toMatchObject({ message: rest.body.error, error: 'PAYLOAD_TOO_LARGE', httpStatus: 413 });
        expect(rest.status).toBe(413);
    });
});

describe('what one door wrote', () => {
    it('the other reads', async () => {
        const client = clientBy('httpLink');
        const { session } = await client.sessions.create.mutate({ tag: 'by-trpc', metadata: 'bQ==' });
        expect((await account.call('GET', `/v1/sessions/${session.id}`)).body).toEqual({ session });
        const again = await account.call('POST', '/v1/sessions', { tag: 'by-trpc', metadata: 'b3RoZXI=' });
        expect(again.body).toEqual({ session });
    });
});

describe('a REST call', () => {
    it('leaves the shared schemas as they are: tRPC still wants numbers and booleans', async () => {
        expect((await account.call('GET', '/v2/sessions?limit=50')).status).toBe(200);
        expect((await account.call('GET', `/v3/sessions/${sid}/messages?after_seq=0&limit=5`)).status).toBe(200);
        expect((await account.call('DELETE', '/v1/sessions/none?hard=false')).status).toBe(404);

        const client = clientBy('httpLink');
        const wrong = [
            client.sessions.page.query({ limit: '50' as unknown as number }),
            client.messages.list.query({ sessionId: sid, after_seq: '0' as unknown as number }),
            client.sessions.delete.mutate({ id: 'none', hard: 'false' as unknown as boolean }),
        ];
        for (const work of wrong)
            expect(await failureOf(work)).toMatchObject({ httpStatus: 400, error: 'VALIDATION_FAILED' });
    });
});
