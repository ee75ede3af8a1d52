import { TRPCClientError } from '@trpc/client';
import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();

async function client() {
    const account = await createAccount(server);
    return { account, api: createClient(server, account.token) };
}

describe('over tRPC, as over REST', () => {
    it('sessions', async () => {
        const { account, api } = await client();
        const input = { tag: 'tag', metadata: 'm', agentState: null, dataEncryptionKey: 'AAEC' };
        const { session } = await api.sessions.create.mutate(input);
        const { id } = session;
        const rest = async (path: string) => (await account.call('GET', path)).body;
        expect(await rest(`/v1/sessions/${id}`)).toEqual({ session });
        expect(await api.sessions.get.query({ id })).toEqual({ session });
        expect(await api.sessions.list.query({})).toEqual(await rest('/v1/sessions'));
        expect(await api.sessions.page.query({ limit: 1 })).toEqual(await rest('/v2/sessions?limit=1'));
        expect(await api.sessions.active.query({})).toEqual(await rest('/v2/sessions/active'));

        expect(await api.sessions.updateMetadata.mutate({ id, metadata: 'new', expectedVersion: 1 })).toEqual({
            result: 'success',
            version: 2,
            metadata: 'new',
        });
        expect(await api.sessions.updateAgentState.mutate({ id, agentState: 'new', expectedVersion: 7 })).toEqual({
            result: 'version-mismatch',
            version: 0,
            agentState: null,
        });
        expect(await api.sessions.state.query({ id })).toEqual(await rest(`/v1/sessions/${id}/state`));
        expect(await api.sessions.archive.mutate({ id })).toMatchObject({ success: true, sessionId: id });
        expect(await api.sessions.delete.mutate({ id })).toEqual({ success: true });
        expect((await api.sessions.get.query({ id })).session.active).toBe(false);
    });

    it('messages', async () => {
        const { account, api } = await client();
        const { id } = (await api.sessions.create.mutate({ tag: 'tag', metadata: 'm' })).session;
        const { message } = await api.messages.create.mutate({ id, content: { any: ['JSON', null] }, localId: 'a' });
        const { messages } = await api.messages.append.mutate({
            sessionId: id,
            messages: [{ content: 'text', localId: 'b' }],
        });
        expect([message.seq, messages[0]?.seq]).toEqual([1, 2]);
        const rest = async (path: string) => (await account.call('GET', path)).body;
        expect(await api.messages.recent.query({ id, sinceSeq: 0 })).toEqual(
            await rest(`/v1/sessions/${id}/messages?sinceSeq=0`),
        );
        expect(await api.messages.page.query({ id, limit: 1 })).toEqual(
            await rest(`/v2/sessions/${id}/messages?limit=1`),
        );
        const list = await api.messages.list.query({ sessionId: id, before_seq: 9 });
        expect(list).toEqual(await rest(`/v3/sessions/${id}/messages?before_seq=9`));
        expect(list.messages.map(({ content }) => content)).toEqual([{ t: 'encrypted', c: 'text' }]);
    });

    it('refusals', async () => {
        const { api } = await client();
        expect(await refusal(api.sessions.get.query({ id: 'none' }))).toEqual(['Session not found', 404, 'NOT_FOUND']);
        const invalid = await refusal(api.sessions.create.mutate({ tag: '', metadata: 'm' }));
        expect(invalid).toEqual(['Invalid input', 400, 'VALIDATION_FAILED']);
        const cursor = await refusal(api.sessions.page.query({ cursor: 'bad' }));
        expect(cursor).toEqual(['Invalid cursor format', 400, 'VALIDATION_FAILED']);
        const both = await refusal(api.messages.list.query({ sessionId: 'none', after_seq: 1, before_seq: 2 }));
        expect(both).toEqual(['Invalid input', 400, 'VALIDATION_FAILED']);
        const nobody = createClient(server).sessions.list.query({});
        expect(await refusal(nobody)).toEqual(['Unauthorized', 401, 'UNAUTHORIZED']);
    });
});

/** Message, status and code of the error of a call. */
async function refusal(call: Promise<unknown>): Promise<unknown[]> {
    const error: unknown = await call.catch((reason: unknown) => reason);
    if (!(error instanceof TRPCClientError)) throw new Error('expected a refusal');
    const { httpStatus, error: code } = error.data as { httpStatus: number; error: string };
    return [error.message, httpStatus, code];
}
