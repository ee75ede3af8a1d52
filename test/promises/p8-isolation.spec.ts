import { TRPCClientError } from '@trpc/client';
import { describe, expect, it } from 'vitest';
import { eventNames } from '@/realtime/frames';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createMachine } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { appendTexts, readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { connect, settled } from '@test/helpers/socket';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const UNKNOWN = 'cmwuut03pmf6b865kp149v6a9';
const STOCK = { 'X-Happy-Client': 'ios/1.7' };

/** A session of another account, with something of everything in it. */
async function foreignSession() {
    const owner = await createAccount(server);
    const input = { tag: 'tag', metadata: 'm', agentState: 's', dataEncryptionKey: 'AAEC' };
    const { body } = await owner.call('POST', '/v1/sessions', input);
    await appendTexts(owner, body.session.id, ['one', 'two']);
    const stranger = await createAccount(server);
    return { owner, id: body.session.id as string, stranger };
}

/** Everything that could be changed of a session, and the counters of its account. */
async function everything(owner: TestAccount, id: string) {
    return {
        session: (await owner.call('GET', `/v1/sessions/${id}`)).body,
        state: (await owner.call('GET', `/v1/sessions/${id}/state`)).body,
        messages: await readAll(owner, id),
        seq: await seqOf(server, owner),
        updates: await updatesOf(server, owner),
    };
}

const REST: [status: number, method: string, path: string, body?: object, headers?: Record<string, string>][] = [
    [404, 'GET', '/v1/sessions/{id}'],
    [404, 'GET', '/v1/sessions/{id}/state'],
    [404, 'DELETE', '/v1/sessions/{id}'],
    [404, 'DELETE', '/v1/sessions/{id}', undefined, STOCK],
    [404, 'POST', '/v1/sessions/{id}/archive', { reason: 'mine' }],
    [404, 'PUT', '/v1/sessions/{id}/metadata', { metadata: 'mine', expectedVersion: 1 }],
    [404, 'PUT', '/v1/sessions/{id}/metadata', { metadata: 'mine', expectedVersion: 9 }],
    [404, 'PUT', '/v1/sessions/{id}/metadata', { metadata: 'x'.repeat(1_000_000), expectedVersion: 1 }],
    [404, 'PUT', '/v1/sessions/{id}/agent-state', { agentState: null, expectedVersion: 1 }],
    [404, 'PUT', '/v1/sessions/{id}/agent-state', { agentState: 'mine', expectedVersion: 9 }],
    [404, 'GET', '/v1/sessions/{id}/messages'],
    [404, 'GET', '/v1/sessions/{id}/messages?sinceSeq=1'],
    [404, 'GET', '/v2/sessions/{id}/messages'],
    [404, 'GET', '/v2/sessions/{id}/messages?cursor=cursor_v1_2&limit=1'],
    [404, 'GET', '/v3/sessions/{id}/messages'],
    [404, 'GET', '/v3/sessions/{id}/messages?before_seq=2'],
    [404, 'POST', '/v1/sessions/{id}/messages', { content: 'mine' }],
    [404, 'POST', '/v1/sessions/{id}/messages', { content: 'mine', localId: 'mine' }],
    [404, 'POST', '/v3/sessions/{id}/messages', { messages: [{ content: 'mine', localId: 'mine' }] }],
    [400, 'GET', '/v2/sessions?cursor=cursor_v1_{id}'],
];

describe('P8 isolation', () => {
    it.each(REST)('%i %s %s: another’s session is like none', async (status, method, path, body, headers) => {
        const { owner, id, stranger } = await foreignSession();
        const before = await everything(owner, id);
        server.db.rowsWritten = 0;
        const answer = await stranger.call(method, path.replace('{id}', id), body, headers);
        const toNone = await stranger.call(method, path.replace('{id}', UNKNOWN), body, headers);
        expect(answer.status).toBe(status);
        expect(told(answer)).toEqual(told(toNone));
        expect([...answer.headers.keys()]).toEqual([...toNone.headers.keys()]);
        expect(server.db.rowsWritten).toBe(0);
        expect(await everything(owner, id)).toEqual(before);
        expect([await seqOf(server, stranger), await updatesOf(server, stranger)]).toEqual([0, []]);
    });

    it('knows a localId of another’s messages in no session of one’s own', async () => {
        const { owner, id, stranger } = await foreignSession();
        const known = (await readAll(owner, id))[0]!;
        const mine = await stranger.call('POST', '/v1/sessions', { tag: 'tag', metadata: 'mine' });
        const messages = [{ localId: known.localId, content: 'mine' }];
        const { body } = await stranger.call('POST', `/v3/sessions/${mine.body.session.id}/messages`, { messages });
        expect(body.messages).toMatchObject([{ localId: known.localId, seq: 1 }]);
    });

    it('lists nobody else’s sessions', async () => {
        const { stranger } = await foreignSession();
        for (const path of ['/v1/sessions', '/v2/sessions', '/v2/sessions/active', '/v2/sessions?changedSince=0']) {
            expect((await stranger.call('GET', path)).body.sessions).toEqual([]);
        }
    });

    it('shows and changes nothing of another’s session through tRPC either', async () => {
        const { owner, id, stranger } = await foreignSession();
        const before = await everything(owner, id);
        const { sessions, messages } = createClient(server, stranger.token);
        const calls: Record<string, (id: string) => Promise<unknown>> = {
            get: (sid) => sessions.get.query({ id: sid }),
            state: (sid) => sessions.state.query({ id: sid }),
            stop: (sid) => sessions.delete.mutate({ id: sid }),
            remove: (sid) => sessions.delete.mutate({ id: sid, hard: true }),
            archive: (sid) => sessions.archive.mutate({ id: sid }),
            updateMetadata: (sid) => sessions.updateMetadata.mutate({ id: sid, metadata: 'mine', expectedVersion: 1 }),
            updateAgentState: (sid) =>
                sessions.updateAgentState.mutate({ id: sid, agentState: 'mine', expectedVersion: 1 }),
            recent: (sid) => messages.recent.query({ id: sid }),
            page: (sid) => messages.page.query({ id: sid }),
            list: (sid) => messages.list.query({ sessionId: sid }),
            create: (sid) => messages.create.mutate({ id: sid, content: 'mine' }),
            append: (sid) =>
                messages.append.mutate({ sessionId: sid, messages: [{ localId: 'mine', content: 'mine' }] }),
            cursor: (sid) => sessions.page.query({ cursor: `cursor_v1_${sid}` }),
        };
        for (const [name, run] of Object.entries(calls)) {
            const refused = await refusal(run(id));
            expect(refused, name).toEqual(await refusal(run(UNKNOWN)));
            expect(refused, name).toMatchObject(
                name === 'cursor' ? { data: { httpStatus: 400 } } : { message: 'Session not found' },
            );
        }
        expect(await everything(owner, id)).toEqual(before);
        expect(await seqOf(server, stranger)).toBe(0);
    });
});

interface Ids {
    sid: string;
    machineId: string;
    artifactId: string;
}

const LOCK = { expectedVersion: 1 };
const PARTS = { header: 'bWluZQ==', expectedHeaderVersion: 1 };

/** Every event of a socket, aimed at objects that may be another's. */
const EVENTS: Record<string, (ids: Ids) => unknown> = {
    ping: () => ({}),
    message: ({ sid }) => ({ sid, message: 'mine', localId: 'mine' }),
    'update-metadata': ({ sid }) => ({ sid, metadata: 'mine', ...LOCK }),
    'update-state': ({ sid }) => ({ sid, agentState: 'mine', ...LOCK }),
    'session-alive': ({ sid }) => ({ sid, time: Date.now(), thinking: true }),
    'session-end': ({ sid }) => ({ sid, time: Date.now() }),
    'machine-alive': ({ machineId }) => ({ machineId, time: Date.now() }),
    'machine-update-metadata': ({ machineId }) => ({ machineId, metadata: 'mine', ...LOCK }),
    'machine-update-state': ({ machineId }) => ({ machineId, daemonState: 'mine', ...LOCK }),
    'artifact-read': ({ artifactId }) => ({ id: artifactId }),
    'artifact-update': ({ artifactId }) => ({ id: artifactId, ...PARTS }),
    'artifact-delete': ({ artifactId }) => ({ id: artifactId }),
    'access-key-get': ({ sid, machineId }) => ({ sessionId: sid, machineId }),
    'usage-report': ({ sid }) => ({ key: 'k', sessionId: sid, tokens: { total: 1 }, cost: { total: 1 } }),
    'rpc-register': ({ sid }) => ({ method: `${sid}:bash` }),
    'rpc-unregister': ({ sid }) => ({ method: `${sid}:bash` }),
    'rpc-cancel': () => ({ requestId: 'ack-1' }),
    'request-updates-since': () => ({ seq: 0 }),
    'app-state': () => ({ state: 'active' }),
    broadcast: ({ sid }) => ({ sid }),
};

/** An id that is taken is told (contract 4.4); a call waits, and `rpc.spec.ts` waits with it. */
const ELSEWHERE = ['artifact-create', 'rpc-call'];

describe('P8 isolation of sockets', () => {
    it('is tried with every event', () => {
        expect(eventNames.filter((name) => !(name in EVENTS) && !ELSEWHERE.includes(name))).toEqual([]);
    });

    it.each(['hub', 'gateway'] as const)(
        'in the %s: nothing of another’s is read, changed or told apart',
        async (host) => {
            const { owner, id: sid, stranger } = await foreignSession();
            const machineId = await createMachine(owner);
            const artifactId = crypto.randomUUID();
            const artifact = { id: artifactId, header: 'aGVhZA==', body: 'Ym9keQ==', dataEncryptionKey: 'a2V5' };
            await owner.call('POST', '/v1/artifacts', artifact);
            const watching = await connect(server, owner, { host });
            await watching.request('rpc-register', { method: `${sid}:bash` });
            const all = async () => ({
                ...(await everything(owner, sid)),
                machine: (await owner.call('GET', `/v1/machines/${machineId}`)).body,
                artifact: (await owner.call('GET', `/v1/artifacts/${artifactId}`)).body,
                usage: (await owner.call('POST', '/v1/usage/query', { sessionId: sid })).body,
                foreground: await server.env.ACCOUNT_HUB.getByName(owner.id).isAppActive(),
            });
            const before = await all();
            watching.frames.length = 0;
            const spy = await connect(server, stranger, { host });
            for (const [event, data] of Object.entries(EVENTS)) {
                const answer = await spy.request(event, data({ sid, machineId, artifactId }));
                const toNone = await spy.request(
                    event,
                    data({ sid: UNKNOWN, machineId: UNKNOWN, artifactId: UNKNOWN }),
                );
                expect(answer, event).toEqual(toNone);
                expect(JSON.stringify(answer), event).not.toContain('Invalid');
            }
            expect(await all()).toEqual(before);
            expect([await seqOf(server, stranger), await updatesOf(server, stranger)]).toEqual([0, []]);
            await settled(owner, [watching]);
            expect(watching.frames.map(({ event, data }) => [event, data.type])).toEqual([['broadcast', 'barrier']]);
            expect(spy.frames.filter(({ event }) => event === 'update' || event === 'ephemeral')).toEqual([]);
        },
    );
});

/** What a tRPC client is told, without what differs between any two answers. */
async function refusal(call: Promise<unknown>): Promise<unknown> {
    const error: unknown = await call.catch((reason: unknown) => reason);
    if (!(error instanceof TRPCClientError)) throw new Error('expected a refusal');
    const { requestId: _, ...data } = error.data as Record<string, unknown>;
    return { message: error.message, data };
}
