import { TRPCClientError } from '@trpc/client';
import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();

async function client() {
    const account = await createAccount(server);
    return { account, api: createClient(server, account.token) };
}

/** What the error of a call says to a program. */
async function refusal(call: Promise<unknown>): Promise<object> {
    const error: unknown = await call.catch((reason: unknown) => reason);
    if (!(error instanceof TRPCClientError)) throw new Error('expected a refusal');
    const { httpStatus, error: code } = error.data as { httpStatus: number; error: string };
    return { message: error.message, httpStatus, code };
}

describe('over tRPC, as over REST', () => {
    it('machines', async () => {
        const { account, api } = await client();
        const { machine } = await api.machines.create.mutate({ id: 'm', metadata: 'first' });
        expect((await account.call('GET', '/v1/machines/m')).body).toEqual({ machine });
        expect(await api.machines.list.query({})).toEqual({ machines: [machine] });
        expect(await api.machines.updateMetadata.mutate({ id: 'm', metadata: 'second', expectedVersion: 1 })).toEqual({
            result: 'success',
            version: 2,
            metadata: 'second',
        });
        expect(await api.machines.updateDaemonState.mutate({ id: 'm', daemonState: 'up', expectedVersion: 9 })).toEqual(
            {
                result: 'version-mismatch',
                version: 0,
                daemonState: null,
            },
        );
        expect((await api.machines.updateStatus.mutate({ id: 'm', active: true })).machine.active).toBe(true);
        expect(await api.machines.delete.mutate({ id: 'm' })).toEqual({ success: true });
        expect(await refusal(api.machines.get.query({ id: 'm' }))).toEqual({
            message: 'Machine not found',
            httpStatus: 404,
            code: 'NOT_FOUND',
        });
    });

    it('artifacts', async () => {
        const { account, api } = await client();
        const id = crypto.randomUUID();
        const created = await api.artifacts.create.mutate({ id, header: 'AAAA', body: 'BBBB', dataEncryptionKey: '' });
        expect((await account.call('GET', `/v1/artifacts/${id}`)).body).toEqual(created);
        expect(await api.artifacts.get.query({ id })).toEqual(created);
        expect((await api.artifacts.list.query({})).artifacts.map((artifact) => artifact.id)).toEqual([id]);
        const lost = await api.artifacts.update.mutate({ id, header: 'CCCC', expectedHeaderVersion: 7 });
        expect(lost).toEqual({
            success: false,
            error: 'version-mismatch',
            currentHeaderVersion: 1,
            currentHeader: 'AAAA',
        });
        expect(await api.artifacts.update.mutate({ id, header: 'CCCC', expectedHeaderVersion: 1 })).toEqual({
            success: true,
            headerVersion: 2,
        });
        expect(await api.artifacts.delete.mutate({ id })).toEqual({ success: true });
    });

    it('access keys', async () => {
        const { account, api } = await client();
        const ids = { sessionId: await createSession(account), machineId: 'm' };
        expect(await refusal(api.accessKeys.get.query(ids))).toMatchObject({ message: 'Session or machine not found' });
        await api.machines.create.mutate({ id: 'm', metadata: '' });
        expect(await api.accessKeys.get.query(ids)).toEqual({ accessKey: null });
        const { accessKey } = await api.accessKeys.create.mutate({ ...ids, data: 'd' });
        expect(await api.accessKeys.get.query(ids)).toEqual({ accessKey });
        expect(await refusal(api.accessKeys.create.mutate({ ...ids, data: 'd' }))).toEqual({
            message: 'Access key already exists',
            httpStatus: 409,
            code: 'CONFLICT',
        });
        expect(await api.accessKeys.update.mutate({ ...ids, data: 'e', expectedVersion: 1 })).toEqual({
            success: true,
            version: 2,
        });
    });

    it('the key-value store: a lost batch is an answer, not an error', async () => {
        const { api } = await client();
        const mutations = [{ key: 'a', value: 'AAAA', version: -1 }];
        expect(await api.kv.mutate.mutate({ mutations })).toEqual({
            success: true,
            results: [{ key: 'a', version: 0 }],
        });
        const errors = [{ key: 'a', error: 'version-mismatch', version: 0, value: 'AAAA' }];
        expect(await api.kv.mutate.mutate({ mutations })).toEqual({ success: false, errors });
        const item = { key: 'a', value: 'AAAA', version: 0 };
        expect(await api.kv.get.query({ key: 'a' })).toEqual(item);
        expect(await api.kv.list.query({ prefix: 'a' })).toEqual({ items: [item] });
        expect(await api.kv.bulk.mutate({ keys: ['a', 'b'] })).toEqual({ values: [item] });
    });

    it('push tokens', async () => {
        const { api } = await client();
        await api.push.register.mutate({ token: 't' });
        expect((await api.push.list.query({})).tokens.map(({ token }) => token)).toEqual(['t']);
        expect(await api.push.delete.mutate({ token: 't' })).toEqual({ success: true });
    });

    it('stock clients have no dialect here', async () => {
        const { account } = await client();
        const headers = { 'X-Happy-Client': 'web/1.7.0' };
        const { body } = await account.call(
            'GET',
            `/trpc/machines.list?input=${encodeURIComponent('{}')}`,
            undefined,
            headers,
        );
        expect(body.result.data).toEqual({ machines: [] });
    });
});
