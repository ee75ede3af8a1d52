import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

const FIELDS = [
    { field: 'metadata', path: 'metadata', version: 1 },
    { field: 'agentState', path: 'agent-state', version: 0 },
] as const;

describe('P7 optimistic locks', () => {
    it.each(FIELDS)(
        'of 20 writers of $field with one version one wins, and 19 get its value',
        async ({ field, path, version }) => {
            const account = await createAccount(server);
            const id = await createSession(account);
            const answers: Record<string, unknown>[] = await Promise.all(
                Array.from({ length: 20 }, async (_, i) => {
                    const value = `writer ${i}`;
                    if (i % 2 === 0) {
                        const input = { [field]: value, expectedVersion: version };
                        return (await account.call('PUT', `/v1/sessions/${id}/${path}`, input)).body;
                    }
                    const api = createClient(server, account.token).sessions;
                    return field === 'metadata'
                        ? api.updateMetadata.mutate({ id, metadata: value, expectedVersion: version })
                        : api.updateAgentState.mutate({ id, agentState: value, expectedVersion: version });
                }),
            );
            const winners = answers.filter(({ result }) => result === 'success');
            expect(winners).toHaveLength(1);
            const value = winners[0]?.[field];
            expect(value).toBe(`writer ${answers.findIndex(({ result }) => result === 'success')}`);
            const losers = answers.filter(({ result }) => result !== 'success');
            expect(losers).toEqual(
                Array(19).fill({ result: 'version-mismatch', version: version + 1, [field]: value }),
            );

            const { session } = (await account.call('GET', `/v1/sessions/${id}`)).body;
            expect(session).toMatchObject({ [field]: value, [`${field}Version`]: version + 1 });
            expect((await updatesOf(server, account, 1)).map(({ update }) => update.body)).toEqual([
                { t: 'update-session', id, sid: id, [field]: { value, version: version + 1 } },
            ]);
            expect(await seqOf(server, account)).toBe(2);
        },
    );

    it('metadata and agent state do not stand in each other’s way', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const answers = await Promise.all([
            account.call('PUT', `/v1/sessions/${id}/metadata`, { metadata: 'a', expectedVersion: 1 }),
            account.call('PUT', `/v1/sessions/${id}/agent-state`, { agentState: 'b', expectedVersion: 0 }),
        ]);
        expect(answers.map(({ body }) => body.result)).toEqual(['success', 'success']);
    });

    it('writers that take the value they are told and try again all get through, one version each', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        await Promise.all(
            Array.from({ length: 10 }, async (_, i) => {
                for (let expectedVersion = 1, done = false; !done;) {
                    const { body } = await account.call('PUT', `/v1/sessions/${id}/metadata`, {
                        metadata: `${i}`,
                        expectedVersion,
                    });
                    done = body.result === 'success';
                    expectedVersion = body.version;
                }
            }),
        );
        const versions = (await updatesOf(server, account, 1)).map(
            ({ update }) => (update.body.metadata as { version: number }).version,
        );
        expect(versions).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    });

    it('of 20 creates with one tag one makes the session and tells of it, and all get it', async () => {
        const account = await createAccount(server);
        const answers = await Promise.all(
            Array.from({ length: 20 }, async (_, i) => {
                const input = { tag: 'one tag', metadata: `${i}`, agentState: `${i}`, dataEncryptionKey: btoa(`${i}`) };
                if (i % 2 === 0) return (await account.call('POST', '/v1/sessions', input)).body.session;
                return (await createClient(server, account.token).sessions.create.mutate(input)).session;
            }),
        );
        const [session] = answers;
        expect(answers).toEqual(Array(20).fill(session));
        expect((await account.call('GET', '/v1/sessions')).body).toEqual({ sessions: [session] });
        expect((await updatesOf(server, account)).map(({ update }) => update.body)).toEqual([
            expect.objectContaining({ t: 'new-session', id: session.id, metadata: session.metadata }),
        ]);
        expect(await seqOf(server, account)).toBe(1);
    });
});
