import { describe, expect, it } from 'vitest';
import { createAccount, createMachine } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';

const server = startServer();
const ids = (machines: { id: string }[]) => machines.map(({ id }) => id);

describe('GET /v1/machines', () => {
    const clock = holdClock();

    /** Three machines; the one made first was active last. */
    async function threeMachines() {
        const account = await createAccount(server);
        for (const id of ['a', 'b', 'c']) {
            await createMachine(account, id);
            clock.advance(1000);
        }
        await account.call('PUT', '/v1/machines/a/status', { active: true });
        return account;
    }

    it('lists the most recently active first', async () => {
        const account = await threeMachines();
        const { status, body } = await account.call('GET', '/v1/machines');
        expect(status).toBe(200);
        expect(ids(body.machines)).toEqual(['a', 'c', 'b']);
        expect(body.machines[0]).toEqual((await account.call('GET', '/v1/machines/a')).body.machine);
    });

    it('answers stock clients with the bare array', async () => {
        const account = await threeMachines();
        const { body } = await account.call('GET', '/v1/machines', undefined, { 'X-Happy-Client': 'ios/1.7.0' });
        expect(ids(body)).toEqual(['a', 'c', 'b']);
    });

    it('lists at most `limit`', async () => {
        const account = await threeMachines();
        expect(ids((await account.call('GET', '/v1/machines?limit=2')).body.machines)).toEqual(['a', 'c']);
    });

    it('lists 50 unless told otherwise, and up to 200', async () => {
        const account = await createAccount(server);
        await server.env.DB.prepare(
            `INSERT INTO Machine (id, accountId, lastActiveAt, createdAt, updatedAt, metadata)
             SELECT 'm' || value, ?, value, 1, 1, '' FROM json_each(?)`,
        )
            .bind(account.id, JSON.stringify(Array.from({ length: 201 }, (_, i) => i)))
            .run();
        expect((await account.call('GET', '/v1/machines')).body.machines).toHaveLength(50);
        expect((await account.call('GET', '/v1/machines?limit=200')).body.machines).toHaveLength(200);
    });

    it.each([
        ['true', ['a']],
        ['false', ['a', 'c', 'b']],
    ])('with activeOnly=%s lists %j', async (activeOnly, expected) => {
        const account = await threeMachines();
        const { body } = await account.call('GET', `/v1/machines?activeOnly=${activeOnly}`);
        expect(ids(body.machines)).toEqual(expected);
    });

    it.each(['limit=0', 'limit=201', 'limit=1.5', 'limit=many', 'activeOnly=yes', 'limit=1&limit=2'])(
        'refuses ?%s',
        async (query) => {
            const account = await createAccount(server);
            expect((await account.call('GET', `/v1/machines?${query}`)).status).toBe(400);
        },
    );
});
