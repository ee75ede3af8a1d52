import { describe, expect, it } from 'vitest';
import { createAccount, createMachine } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('PUT /v1/machines/:id/status', () => {
    const clock = holdClock();

    async function oneMachine() {
        const account = await createAccount(server);
        await account.call('POST', '/v1/machines', { id: 'm', metadata: 'old', daemonState: 'old' });
        clock.advance(1000);
        return account;
    }

    it('writes what is given, counts its versions up, and marks the machine as seen', async () => {
        const account = await oneMachine();
        const { status, body } = await account.call('PUT', '/v1/machines/m/status', {
            active: true,
            metadata: 'new',
            daemonState: 'newer',
        });
        expect(status).toBe(200);
        const now = Date.now();
        expect(body.machine).toMatchObject({
            metadata: 'new',
            metadataVersion: 2,
            daemonState: 'newer',
            daemonStateVersion: 2,
            seq: 1,
            active: true,
            activeAt: now,
            lastActiveAt: now,
            createdAt: now - 1000,
            updatedAt: now,
        });
        expect((await account.call('GET', '/v1/machines/m')).body).toEqual(body);
    });

    it.each([
        ['nothing', {}, {}],
        ['nulls where a field cannot be cleared', { active: null, metadata: null }, {}],
        ['active', { active: true }, { active: true }],
        ['metadata', { metadata: 'new' }, { metadata: 'new', metadataVersion: 2 }],
        ['daemonState', { daemonState: 'new' }, { daemonState: 'new', daemonStateVersion: 2 }],
        ['a cleared daemonState', { daemonState: null }, { daemonState: null, daemonStateVersion: 2 }],
    ])('given %s, leaves the rest', async (_, input, changed) => {
        const account = await oneMachine();
        const { body: before } = await account.call('GET', '/v1/machines/m');
        const { body } = await account.call('PUT', '/v1/machines/m/status', input);
        const now = Date.now();
        expect(body.machine).toEqual({
            ...before.machine,
            seq: 1,
            activeAt: now,
            lastActiveAt: now,
            updatedAt: now,
            ...changed,
        });
    });

    it('tells of the changed parts and of presence', async () => {
        const account = await oneMachine();
        await account.call('PUT', '/v1/machines/m/status', { active: true, daemonState: null });
        await account.call('PUT', '/v1/machines/m/status', { metadata: 'new', active: false });
        const updates = await updatesOf(server, account, 2);
        const activeAt = Date.now();
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            {
                seq: 3,
                body: {
                    t: 'update-machine',
                    machineId: 'm',
                    daemonState: { value: null, version: 2 },
                    active: true,
                    activeAt,
                },
                to: { machine: 'm' },
            },
            {
                seq: 4,
                body: {
                    t: 'update-machine',
                    machineId: 'm',
                    metadata: { value: 'new', version: 2 },
                    active: false,
                    activeAt,
                },
                to: { machine: 'm' },
            },
        ]);
    });

    it('loses no version when 20 write at once', async () => {
        const account = await oneMachine();
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) => account.call('PUT', '/v1/machines/m/status', { metadata: `m${i}` })),
        );
        const versions = answers.map(({ body }) => body.machine.metadataVersion as number).sort((a, b) => a - b);
        expect(versions).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
        expect(await seqOf(server, account)).toBe(22);
    });

    it('keeps metadata and daemon state together within a row, whichever comes', async () => {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        const put = (body: object) => account.call('PUT', '/v1/machines/m/status', body);
        expect((await put({ daemonState: 'd'.repeat(900_000) })).status).toBe(200);
        expect((await put({ metadata: 'm'.repeat(600_001) })).status).toBe(400);
        expect((await put({ metadata: 'm'.repeat(600_000) })).status).toBe(200);
        expect((await put({ metadata: 'm'.repeat(1_000_000), daemonState: 'd'.repeat(500_001) })).status).toBe(400);
        expect((await put({ metadata: 'm'.repeat(1_000_000), daemonState: 'd'.repeat(500_000) })).status).toBe(200);
        expect(await seqOf(server, account)).toBe(5);
    });
});
