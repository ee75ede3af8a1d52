import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const MB = 1_000_000;

const FIELDS = [
    { field: 'metadata', path: 'metadata', version: 1 },
    { field: 'agentState', path: 'agent-state', version: 0 },
];

describe.each(FIELDS)('PUT /v1/sessions/:id/$path', ({ field, path, version }) => {
    it('replaces the value that has the expected version', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const put = await account.call('PUT', `/v1/sessions/${id}/${path}`, {
            [field]: 'new',
            expectedVersion: version,
        });
        expect([put.status, put.body]).toEqual([200, { result: 'success', version: version + 1, [field]: 'new' }]);
        const { body } = await account.call('GET', `/v1/sessions/${id}`);
        expect(body.session).toMatchObject({ [field]: 'new', [`${field}Version`]: version + 1 });
    });

    it('tells the session and user-scoped sockets the new value and version', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        await account.call('PUT', `/v1/sessions/${id}/${path}`, { [field]: 'new', expectedVersion: version });
        const updates = await updatesOf(server, account, 1);
        const body = { t: 'update-session', id, sid: id, [field]: { value: 'new', version: version + 1 } };
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            { seq: 2, body, to: { session: id } },
        ]);
    });

    it('answers another version with the current value, writes nothing and tells nothing', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        await account.call('PUT', `/v1/sessions/${id}/${path}`, { [field]: 'current', expectedVersion: version });
        server.db.rowsWritten = 0;
        for (const expectedVersion of [version, version + 2]) {
            const put = await account.call('PUT', `/v1/sessions/${id}/${path}`, { [field]: 'lost', expectedVersion });
            const expected = { result: 'version-mismatch', version: version + 1, [field]: 'current' };
            expect([put.status, put.body]).toEqual([200, expected]);
        }
        expect(server.db.rowsWritten).toBe(0);
        expect(await seqOf(server, account)).toBe(2);
        expect(await updatesOf(server, account)).toHaveLength(2);
    });

    it('leaves the other value alone', async () => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/sessions', { tag: 't', metadata: 'm', agentState: 's' });
        const { id } = body.session;
        await account.call('PUT', `/v1/sessions/${id}/${path}`, { [field]: 'new', expectedVersion: 1 });
        expect((await account.call('GET', `/v1/sessions/${id}`)).body.session).toEqual({
            ...body.session,
            [field]: 'new',
            [`${field}Version`]: 2,
            updatedAt: expect.any(Number),
        });
    });

    it('takes 1,000,000 bytes, and 1,500,000 together with the other value', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const put = (of: { field: string; path: string }, text: string, expectedVersion: number) =>
            account.call('PUT', `/v1/sessions/${id}/${of.path}`, { [of.field]: text, expectedVersion });

        expect((await put({ field, path }, 'é'.repeat(MB / 2), version)).body.result).toBe('success');
        expect((await put({ field, path }, `${'é'.repeat(MB / 2)}x`, version + 1)).status).toBe(400);
        for (const other of FIELDS.filter((candidate) => candidate.field !== field)) {
            const over = await put(other, 'x'.repeat(MB / 2 + 1), other.version);
            expect([over.status, over.body.code]).toEqual([400, 'VALIDATION_FAILED']);
            expect((await put(other, 'x'.repeat(MB / 2), other.version)).body.result).toBe('success');
        }
    });

    it.each([
        ['no version', { [field]: 'x' }],
        ['a version below 0', { [field]: 'x', expectedVersion: -1 }],
        ['half a version', { [field]: 'x', expectedVersion: 1.5 }],
        ['a version as text', { [field]: 'x', expectedVersion: '1' }],
        ['no value', { expectedVersion: version }],
    ])('refuses %s', async (_, input) => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const { status, body } = await account.call('PUT', `/v1/sessions/${id}/${path}`, input);
        expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    });

    it('knows no other session', async () => {
        const account = await createAccount(server);
        const { body } = await account.call('PUT', `/v1/sessions/none/${path}`, { [field]: 'x', expectedVersion: 0 });
        expect(body).toMatchObject({ error: 'Session not found', code: 'NOT_FOUND' });
    });
});

describe('null', () => {
    it('clears the agent state, as a change like any other', async () => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/sessions', { tag: 't', metadata: 'm', agentState: 's' });
        const path = `/v1/sessions/${body.session.id}/agent-state`;
        const put = await account.call('PUT', path, { agentState: null, expectedVersion: 1 });
        expect(put.body).toEqual({ result: 'success', version: 2, agentState: null });
        expect((await updatesOf(server, account)).at(-1)?.update.body).toMatchObject({
            agentState: { value: null, version: 2 },
        });
    });

    it('is no metadata', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const put = await account.call('PUT', `/v1/sessions/${id}/metadata`, { metadata: null, expectedVersion: 1 });
        expect(put.status).toBe(400);
    });
});
