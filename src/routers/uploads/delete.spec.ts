import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { send, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();
const TEXT = new Uint8Array(Buffer.from('text'));

describe('deleting a file', () => {
    it('takes its facts and its bytes, in one round trip and without an update', async () => {
        const account = await createAccount(server);
        const { id } = (await uploadRaw(server, account, TEXT)).body.file;
        const kept = (await uploadRaw(server, account, TEXT)).body.file;
        const trips = await roundTripsOf(server, async () => {
            const { status, body } = await account.call('DELETE', `/v1/uploads/${id}`);
            expect([status, body]).toEqual([200, { success: true }]);
        });
        expect(trips).toBe(1);
        expect((await account.call('GET', `/v1/uploads/${id}`)).status).toBe(404);
        expect((await send(server, account, 'GET', `/v1/uploads/${id}/download`)).status).toBe(404);
        expect((await account.call('GET', '/v1/uploads')).body.files).toEqual([kept]);
        const { objects } = await server.env.UPLOADS.list({ prefix: `${account.id}/` });
        expect(objects.map(({ key }) => key)).toEqual([`${account.id}/${kept.id}`]);
        expect(await seqOf(server, account)).toBe(0);
    });

    it('works once', async () => {
        const account = await createAccount(server);
        const { id } = (await uploadRaw(server, account, TEXT)).body.file;
        const answers = await Promise.all(Array.from({ length: 5 }, () => account.call('DELETE', `/v1/uploads/${id}`)));
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404, 404]);
        expect(answers.find(({ status }) => status === 404)?.body.error).toBe('File not found');
    });
});
