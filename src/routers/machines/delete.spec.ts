import { describe, expect, it } from 'vitest';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('DELETE /v1/machines/:id', () => {
    it('deletes the machine, and tells', async () => {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        expect(await account.call('DELETE', '/v1/machines/m')).toMatchObject({ status: 200, body: { success: true } });
        expect((await account.call('GET', '/v1/machines/m')).status).toBe(404);
        expect((await account.call('GET', '/v1/machines')).body.machines).toEqual([]);
        const [told, ...more] = await updatesOf(server, account, 2);
        expect(told).toMatchObject({ to: {}, update: { seq: 3, body: { t: 'delete-machine', machineId: 'm' } } });
        expect(more).toEqual([]);
    });

    it('takes its access keys along, and only its own; sessions stay', async () => {
        const account = await createAccount(server);
        const session = await createSession(account);
        for (const id of ['gone', 'kept']) {
            await createMachine(account, id);
            await account.call('POST', `/v1/access-keys/${session}/${id}`, { data: id });
        }
        expect((await account.call('DELETE', '/v1/machines/gone')).status).toBe(200);
        const left = await server.env.DB.prepare('SELECT data FROM AccessKey WHERE accountId = ?')
            .bind(account.id)
            .all();
        expect(left.results).toEqual([{ data: 'kept' }]);
        expect((await account.call('GET', `/v1/sessions/${session}`)).status).toBe(200);
    });

    it('is 404 the second time, takes no number and tells nothing', async () => {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        await account.call('DELETE', '/v1/machines/m');
        expect(await account.call('DELETE', '/v1/machines/m')).toMatchObject({
            status: 404,
            body: { error: 'Machine not found' },
        });
        expect(await seqOf(server, account)).toBe(3);
        expect(await updatesOf(server, account)).toHaveLength(3);
    });

    it('lets the machine come back as a new one', async () => {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        await account.call('PUT', '/v1/machines/m/metadata', { metadata: 'later', expectedVersion: 1 });
        await account.call('DELETE', '/v1/machines/m');
        const { body } = await account.call('POST', '/v1/machines', { id: 'm', metadata: 'back' });
        expect(body.machine).toMatchObject({ metadata: 'back', metadataVersion: 1, seq: 0 });
    });

    it('leaves the machine of the same id under another account alone', async () => {
        const [one, other] = [await createAccount(server), await createAccount(server)];
        await createMachine(one, 'same');
        await createMachine(other, 'same');
        await one.call('DELETE', '/v1/machines/same');
        expect((await other.call('GET', '/v1/machines/same')).status).toBe(200);
    });
});
