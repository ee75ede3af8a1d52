import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('POST /v1/machines', () => {
    const clock = holdClock();

    it('registers a machine with first versions, not active yet', async () => {
        const account = await createAccount(server);
        const id = crypto.randomUUID();
        const input = { id, metadata: 'bQ==', daemonState: 'c3RhdGU=', dataEncryptionKey: 'AAECAw==' };
        const { status, body } = await account.call('POST', '/v1/machines', input);
        expect(status).toBe(200);
        const now = Date.now();
        expect(body).toEqual({
            machine: {
                id,
                accountId: account.id,
                metadata: 'bQ==',
                metadataVersion: 1,
                daemonState: 'c3RhdGU=',
                daemonStateVersion: 1,
                dataEncryptionKey: 'AAECAw==',
                seq: 0,
                active: false,
                activeAt: now,
                lastActiveAt: now,
                createdAt: now,
                updatedAt: now,
            },
        });
        expect((await account.call('GET', `/v1/machines/${id}`)).body).toEqual(body);
    });

    it.each([
        ['left out', {}],
        ['null', { daemonState: null, dataEncryptionKey: null }],
    ])('takes daemon state and key that are %s for none, at version 0', async (_, optional) => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/machines', { id: 'm', metadata: '', ...optional });
        expect(body.machine).toMatchObject({ daemonState: null, daemonStateVersion: 0, dataEncryptionKey: null });
    });

    it('tells of a new machine by two updates with a number each', async () => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/machines', { id: 'm', metadata: 'bQ==' });
        const updates = await updatesOf(server, account);
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            { seq: 1, body: { t: 'new-machine', machineId: 'm', ...body.machine }, to: {} },
            {
                seq: 2,
                body: { t: 'update-machine', machineId: 'm', metadata: { version: 1, value: 'bQ==' } },
                to: { machine: 'm' },
            },
        ]);
        expect(await seqOf(server, account)).toBe(2);
    });

    it('returns the machine that has the id already, unchanged, and tells nothing', async () => {
        const account = await createAccount(server);
        const first = await account.call('POST', '/v1/machines', { id: 'm', metadata: 'first', daemonState: 'first' });
        clock.advance(1000);
        const again = await account.call('POST', '/v1/machines', { id: 'm', metadata: 'other', daemonState: 'other' });
        expect(again.status).toBe(200);
        expect(again.body).toEqual(first.body);
        expect(await updatesOf(server, account)).toHaveLength(2);
        expect(await seqOf(server, account)).toBe(2);
    });

    it('makes one machine of 20 registrations at once', async () => {
        const account = await createAccount(server);
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) => account.call('POST', '/v1/machines', { id: 'm', metadata: `m${i}` })),
        );
        const [first] = answers;
        expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
        expect(answers.every(({ body }) => body.machine.metadata === first?.body.machine.metadata)).toBe(true);
        expect(await seqOf(server, account)).toBe(2);
    });

    it('takes the same id under two accounts for two machines', async () => {
        const [one, other] = [await createAccount(server), await createAccount(server)];
        await one.call('POST', '/v1/machines', { id: 'same', metadata: 'one' });
        const { body } = await other.call('POST', '/v1/machines', { id: 'same', metadata: 'other' });
        expect(body.machine).toMatchObject({ accountId: other.id, metadata: 'other' });
        expect((await one.call('GET', '/v1/machines/same')).body.machine.metadata).toBe('one');
    });
});
