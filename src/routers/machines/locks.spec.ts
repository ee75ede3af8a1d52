import { describe, expect, it } from 'vitest';
import { createAccount, createMachine } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

const FIELDS = [
    { field: 'metadata', path: 'metadata', first: 1 },
    { field: 'daemonState', path: 'daemon-state', first: 0 },
] as const;

describe.each(FIELDS)('PUT /v1/machines/:id/$path', ({ field, path, first }) => {
    const clock = holdClock();
    const url = `/v1/machines/m/${path}`;

    async function oneMachine() {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        clock.advance(1000);
        return account;
    }

    it('P7 optimistic lock: of 20 writers one wins, and 19 get its value', async () => {
        const account = await oneMachine();
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) =>
                account.call('PUT', url, { [field]: `writer ${i}`, expectedVersion: first }),
            ),
        );
        expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
        const won = answers.filter(({ body }) => body.result === 'success');
        expect(won).toHaveLength(1);
        const winner = won[0]?.body[field] as string;
        expect(won[0]?.body).toEqual({ result: 'success', version: first + 1, [field]: winner });
        const lost = answers.filter(({ body }) => body.result !== 'success');
        expect(lost.map(({ body }) => body)).toEqual(
            Array(19).fill({ result: 'version-mismatch', version: first + 1, [field]: winner }),
        );
        const { body } = await account.call('GET', '/v1/machines/m');
        expect(body.machine).toMatchObject({ [field]: winner, [`${field}Version`]: first + 1, seq: 1 });
        // A write that lost takes no number and tells nothing.
        expect(await seqOf(server, account)).toBe(3);
        expect(await updatesOf(server, account, 2)).toHaveLength(1);
    });

    it.each([first - 1, first + 1].filter((version) => version >= 0))(
        'changes nothing on version %i',
        async (expectedVersion) => {
            const account = await oneMachine();
            const { body: before } = await account.call('GET', '/v1/machines/m');
            const { body } = await account.call('PUT', url, { [field]: 'new', expectedVersion });
            expect(body).toEqual({ result: 'version-mismatch', version: first, [field]: before.machine[field] });
            expect((await account.call('GET', '/v1/machines/m')).body).toEqual(before);
        },
    );

    it('tells user-scoped sockets and the machine', async () => {
        const account = await oneMachine();
        await account.call('PUT', url, { [field]: 'new', expectedVersion: first });
        const [told] = await updatesOf(server, account, 2);
        const { body } = await account.call('GET', '/v1/machines/m');
        expect(told?.to).toEqual({ machine: 'm' });
        expect(told?.update.body).toEqual({
            t: 'update-machine',
            machineId: 'm',
            [field]: { value: 'new', version: first + 1 },
            active: body.machine.active,
            activeAt: body.machine.activeAt,
        });
    });

    it('refuses what does not fit into the row with its other text, though the version is right', async () => {
        const account = await createAccount(server);
        const texts = {
            metadata: 'm',
            daemonState: 'd',
            [field === 'metadata' ? 'daemonState' : 'metadata']: 'x'.repeat(600_000),
        };
        await account.call('POST', '/v1/machines', { id: 'm', ...texts });
        const { status } = await account.call('PUT', url, { [field]: 'y'.repeat(900_001), expectedVersion: 1 });
        expect(status).toBe(400);
        const stale = await account.call('PUT', url, { [field]: 'y'.repeat(900_001), expectedVersion: 7 });
        expect(stale.body.result).toBe('version-mismatch');
    });

    it.each([
        ['no version', { [field]: 'x' }],
        ['a version below 0', { [field]: 'x', expectedVersion: -1 }],
        ['a version that is no integer', { [field]: 'x', expectedVersion: 1.5 }],
        ['a version as text', { [field]: 'x', expectedVersion: '1' }],
        ['a version past what a number holds', { [field]: 'x', expectedVersion: 2 ** 53 }],
        ['no value', { expectedVersion: 1 }],
        ['a number as value', { [field]: 7, expectedVersion: 1 }],
        ['a value of over 1,000,000 bytes', { [field]: 'é'.repeat(500_001), expectedVersion: 1 }],
        ['a value with NUL', { [field]: 'a\0b', expectedVersion: 1 }],
    ])('refuses %s', async (_, body) => {
        const account = await oneMachine();
        expect(await account.call('PUT', url, body)).toMatchObject({
            status: 400,
            body: { code: 'VALIDATION_FAILED' },
        });
    });
});

describe('presence', () => {
    const clock = holdClock();

    it('a daemon that reports its state is active from now on', async () => {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        clock.advance(5000);
        await account.call('PUT', '/v1/machines/m/daemon-state', { daemonState: 'up', expectedVersion: 0 });
        const { body } = await account.call('GET', '/v1/machines/m');
        expect(body.machine).toMatchObject({ active: true, activeAt: Date.now(), lastActiveAt: Date.now() });
    });

    it('one that loses the race says nothing of presence', async () => {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        const { body: before } = await account.call('GET', '/v1/machines/m');
        clock.advance(5000);
        await account.call('PUT', '/v1/machines/m/daemon-state', { daemonState: 'up', expectedVersion: 1 });
        expect((await account.call('GET', '/v1/machines/m')).body).toEqual(before);
    });

    it('an app that renames a machine does not make it active', async () => {
        const account = await createAccount(server);
        await createMachine(account, 'm');
        const { body: before } = await account.call('GET', '/v1/machines/m');
        clock.advance(5000);
        await account.call('PUT', '/v1/machines/m/metadata', { metadata: 'renamed', expectedVersion: 1 });
        const { body } = await account.call('GET', '/v1/machines/m');
        expect(body.machine).toMatchObject({ active: false, activeAt: before.machine.activeAt, updatedAt: Date.now() });
    });

    it('null clears the daemon state and counts on', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/machines', { id: 'm', metadata: 'm', daemonState: 'up' });
        const { body } = await account.call('PUT', '/v1/machines/m/daemon-state', {
            daemonState: null,
            expectedVersion: 1,
        });
        expect(body).toEqual({ result: 'success', version: 2, daemonState: null });
        expect((await updatesOf(server, account)).at(-1)?.update.body).toMatchObject({
            daemonState: { value: null, version: 2 },
        });
    });
});
