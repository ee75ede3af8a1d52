import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const TAKEN = { success: false, error: 'username-taken' };

/** A username nobody else in this file has. */
function newName(): string {
    return `user-${crypto.randomUUID()}`;
}

describe('PUT /v1/account', () => {
    it('changes what is given, clears what is null, leaves the rest', async () => {
        const account = await createAccount(server);
        const username = newName();
        const { body } = await account.call('PUT', '/v1/account', { firstName: 'Jané 🙂', lastName: 'Doe', username });
        expect(body).toMatchObject({
            success: true,
            profile: { id: account.id, firstName: 'Jané 🙂', lastName: 'Doe', username },
        });
        await account.call('PUT', '/v1/account', { firstName: null });
        expect((await account.call('GET', '/v1/account')).body).toMatchObject({
            firstName: null,
            lastName: 'Doe',
            username,
        });
    });

    it('leaves the username where null is given for it, and tells nobody of it', async () => {
        const account = await createAccount(server);
        const username = newName();
        await account.call('PUT', '/v1/account', { username });
        const seq = await seqOf(server, account);
        const { body } = await account.call('PUT', '/v1/account', { username: null });
        expect(body).toMatchObject({ success: true, profile: { username } });
        expect(await seqOf(server, account)).toBe(seq);
        await account.call('PUT', '/v1/account', { firstName: 'Jane', username: null });
        expect((await account.call('GET', '/v1/account')).body).toMatchObject({ firstName: 'Jane', username });
        const [told] = await updatesOf(server, account, seq);
        expect(told?.update.body).toEqual({ t: 'update-account', id: account.id, firstName: 'Jane' });
    });

    it('tells the account of the given fields only', async () => {
        const account = await createAccount(server);
        await account.call('PUT', '/v1/account', { firstName: 'Jane', lastName: null });
        const [told] = await updatesOf(server, account);
        expect(told).toMatchObject({ to: {}, update: { seq: 1 } });
        expect(told?.update.body).toEqual({ t: 'update-account', id: account.id, firstName: 'Jane', lastName: null });
    });

    it.each([{}, { nickname: 'x' }])('changes and tells nothing for %j', async (input) => {
        const account = await createAccount(server);
        const { status, body } = await account.call('PUT', '/v1/account', input);
        expect(status).toBe(200);
        expect(body).toMatchObject({ success: true, profile: { id: account.id } });
        expect(await seqOf(server, account)).toBe(0);
    });

    it('serves tRPC clients the same', async () => {
        const { account } = createClient(server, (await createAccount(server)).token);
        const username = newName();
        expect(await account.updateProfile.mutate({ username })).toMatchObject({
            success: true,
            profile: { username },
        });
    });

    it('takes one round trip', async () => {
        const account = await createAccount(server);
        await account.call('GET', '/v1/account');
        expect(await roundTripsOf(server, () => account.call('PUT', '/v1/account', { username: newName() }))).toBe(1);
        expect(await roundTripsOf(server, () => account.call('PUT', '/v1/account', {}))).toBe(1);
    });

    it.each([
        { username: 'ab' },
        { username: 'a'.repeat(51) },
        { username: 'with space' },
        { username: 'dot.ted' },
        { username: 'münchen' },
        { username: '' },
        { username: 7 },
        { firstName: 'x'.repeat(257) },
        { firstName: 'é'.repeat(129) },
        { firstName: 'a\0b' },
        { lastName: '\ud800' },
        { lastName: {} },
        [],
        '{',
    ])('refuses %j', async (input) => {
        const account = await createAccount(server);
        expect((await account.call('PUT', '/v1/account', input)).status).toBe(400);
        expect(await seqOf(server, account)).toBe(0);
    });

    it.each(['abc', 'a'.repeat(50), 'A_b-9'])('takes the username %s', async (username) => {
        const account = await createAccount(server);
        expect((await account.call('PUT', '/v1/account', { username })).status).toBe(200);
    });
});

describe('usernames', () => {
    it('are taken whatever the case; then nothing changes and nobody is told', async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const name = newName();
        await owner.call('PUT', '/v1/account', { username: name });
        const { status, body } = await other.call('PUT', '/v1/account', {
            username: name.toUpperCase(),
            firstName: 'X',
        });
        expect({ status, body }).toEqual({ status: 409, body: TAKEN });
        expect((await other.call('GET', '/v1/account')).body).toMatchObject({ username: null, firstName: null });
        expect(await seqOf(server, other)).toBe(0);
    });

    it('are free for their owner, in another case too, and for others once given up', async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const name = newName();
        for (const username of [name, name, name.toUpperCase()]) {
            const { body } = await owner.call('PUT', '/v1/account', { username });
            expect(body).toMatchObject({ success: true, profile: { username } });
        }
        await owner.call('PUT', '/v1/account', { username: newName() });
        expect((await other.call('PUT', '/v1/account', { username: name })).status).toBe(200);
    });

    it('go to exactly one of 20 accounts that want one at once', async () => {
        const name = newName();
        const accounts = await Promise.all(Array.from({ length: 20 }, () => createAccount(server)));
        const answers = await Promise.all(
            accounts.map((account, i) =>
                account.call('PUT', '/v1/account', { username: i % 2 === 0 ? name : name.toUpperCase() }),
            ),
        );
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
        expect(answers.filter(({ status }) => status === 409).map(({ body }) => body)).toEqual(Array(19).fill(TAKEN));
        const owners = await Promise.all(accounts.map(async (a) => (await a.call('GET', '/v1/account')).body.username));
        expect(owners.filter((username) => username !== null)).toHaveLength(1);
    });

    it('come as an outcome over tRPC too', async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const username = newName();
        await owner.call('PUT', '/v1/account', { username });
        expect(await createClient(server, other.token).account.updateProfile.mutate({ username })).toEqual(TAKEN);
    });
});
