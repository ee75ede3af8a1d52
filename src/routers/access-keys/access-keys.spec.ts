import { describe, expect, it } from 'vitest';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();

/** An account with a session and a machine, and the path of their access key. */
async function pair() {
    const account = await createAccount(server);
    const [session, machine] = [await createSession(account), await createMachine(account)];
    return { account, session, machine, path: `/v1/access-keys/${session}/${machine}` };
}

describe('access keys', () => {
    const clock = holdClock();

    it('are null until made', async () => {
        const { account, path } = await pair();
        expect(await account.call('GET', path)).toMatchObject({ status: 200, body: { accessKey: null } });
    });

    it('are made once, at version 1', async () => {
        const { account, path } = await pair();
        const now = Date.now();
        const accessKey = { data: 'secret', dataVersion: 1, createdAt: now, updatedAt: now };
        const made = await account.call('POST', path, { data: 'secret' });
        expect(made).toMatchObject({ status: 200, body: { success: true, accessKey } });
        clock.advance(1000);
        const again = await account.call('POST', path, { data: 'other' });
        expect(again).toMatchObject({ status: 409, body: { error: 'Access key already exists', code: 'CONFLICT' } });
        expect((await account.call('GET', path)).body).toEqual({ accessKey });
    });

    it('are made by one of 20 at once; the others conflict', async () => {
        const { account, path } = await pair();
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) => account.call('POST', path, { data: `d${i}` })),
        );
        expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
        const winner = answers.find(({ status }) => status === 200);
        expect((await account.call('GET', path)).body.accessKey).toEqual(winner?.body.accessKey);
    });

    it('are replaced at the expected version', async () => {
        const { account, path } = await pair();
        const { body: made } = await account.call('POST', path, { data: 'old' });
        clock.advance(1000);
        expect((await account.call('PUT', path, { data: 'new', expectedVersion: 1 })).body).toEqual({
            success: true,
            version: 2,
        });
        const { body } = await account.call('GET', path);
        expect(body.accessKey).toEqual({ ...made.accessKey, data: 'new', dataVersion: 2, updatedAt: Date.now() });
    });

    it.each([0, 2])('are not replaced at version %i', async (expectedVersion) => {
        const { account, path } = await pair();
        await account.call('POST', path, { data: 'old' });
        const { status, body } = await account.call('PUT', path, { data: 'new', expectedVersion });
        expect(status).toBe(200);
        expect(body).toEqual({ success: false, error: 'version-mismatch', currentVersion: 1, currentData: 'old' });
    });

    it('P7 optimistic lock: of 20 writers one wins, and 19 get its value', async () => {
        const { account, path } = await pair();
        await account.call('POST', path, { data: 'old' });
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) =>
                account.call('PUT', path, { data: `writer ${i}`, expectedVersion: 1 }),
            ),
        );
        const winners = answers.flatMap(({ body }, i) => (body.success ? [`writer ${i}`] : []));
        expect(winners).toHaveLength(1);
        expect(answers.filter(({ body }) => !body.success).map(({ body }) => body)).toEqual(
            Array(19).fill({ success: false, error: 'version-mismatch', currentVersion: 2, currentData: winners[0] }),
        );
    });

    it('cannot be replaced before they are made', async () => {
        const { account, path } = await pair();
        const answer = await account.call('PUT', path, { data: 'new', expectedVersion: 1 });
        expect(answer).toMatchObject({ status: 404, body: { error: 'Access key not found' } });
    });

    it('belong to one session and one machine', async () => {
        const { account, session, machine, path } = await pair();
        await account.call('POST', path, { data: 'mine' });
        const [otherSession, otherMachine] = [await createSession(account), await createMachine(account)];
        for (const other of [`${session}/${otherMachine}`, `${otherSession}/${machine}`]) {
            expect((await account.call('GET', `/v1/access-keys/${other}`)).body).toEqual({ accessKey: null });
        }
    });

    it('take no number of the account', async () => {
        const { account, path } = await pair();
        const before = await seqOf(server, account);
        await account.call('POST', path, { data: 'old' });
        await account.call('PUT', path, { data: 'new', expectedVersion: 1 });
        expect(await seqOf(server, account)).toBe(before);
    });

    it('hold 1,000,000 bytes and give them back as they are', async () => {
        const { account, path } = await pair();
        const data = `${'k'.repeat(999_996)}😀`;
        expect((await account.call('POST', path, { data })).body.accessKey.data).toBe(data);
        expect((await account.call('PUT', path, { data: `${data}x`, expectedVersion: 1 })).status).toBe(400);
    });

    it.each([
        ['POST', {}],
        ['POST', { data: null }],
        ['POST', { data: 7 }],
        ['POST', { data: 'a\0' }],
        ['PUT', { data: 'd' }],
        ['PUT', { data: 'd', expectedVersion: '1' }],
        ['PUT', { data: 'd', expectedVersion: 0.5 }],
        ['PUT', { data: 'd', expectedVersion: -1 }],
        ['PUT', { expectedVersion: 1 }],
    ])('%s refuses %j', async (method, body) => {
        const { account, path } = await pair();
        expect(await account.call(method, path, body)).toMatchObject({
            status: 400,
            body: { code: 'VALIDATION_FAILED' },
        });
    });
});
