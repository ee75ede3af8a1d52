import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();

describe('P8 isolation of artifacts', () => {
    it.each([
        ['GET', undefined],
        ['POST', {}],
        ['POST', { header: 'AAAA', expectedHeaderVersion: 1 }],
        ['POST', { body: 'AAAA', expectedBodyVersion: 1 }],
        ['POST', { header: 'AAAA', expectedHeaderVersion: 9, body: 'AAAA', expectedBodyVersion: 9 }],
        ['DELETE', undefined],
    ])("%s /v1/artifacts/:id %j answers to another's artifact as to none", async (method, body) => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        const id = crypto.randomUUID();
        await owner.call('POST', '/v1/artifacts', { id, header: 'BBBB', body: 'BBBB', dataEncryptionKey: 'BBBB' });
        const before = await owner.call('GET', `/v1/artifacts/${id}`);
        const answer = await stranger.call(method, `/v1/artifacts/${id}`, body);
        const toNone = await stranger.call(method, `/v1/artifacts/${crypto.randomUUID()}`, body);
        expect(told(answer)).toEqual({ status: 404, body: { error: 'Artifact not found', code: 'NOT_FOUND' } });
        expect(told(toNone)).toEqual(told(answer));
        expect((await owner.call('GET', `/v1/artifacts/${id}`)).body).toEqual(before.body);
        expect([await seqOf(server, owner), await seqOf(server, stranger)]).toEqual([1, 0]);
    });

    it("lists nobody else's artifacts", async () => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        await owner.call('POST', '/v1/artifacts', {
            id: crypto.randomUUID(),
            header: '',
            body: '',
            dataEncryptionKey: '',
        });
        expect((await stranger.call('GET', '/v1/artifacts')).body).toEqual({ artifacts: [] });
    });
});
