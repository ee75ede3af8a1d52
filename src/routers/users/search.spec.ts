import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { act } from '@test/helpers/friends';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();

async function named(username: string, names: object = {}): Promise<TestAccount> {
    const account = await createAccount(server);
    expect((await account.call('PUT', '/v1/account', { username, ...names })).status).toBe(200);
    return account;
}

async function find(who: TestAccount, query: string, more = '', path = '/v1/users/search'): Promise<string[]> {
    const { status, body } = await who.call('GET', `${path}?query=${encodeURIComponent(query)}${more}`);
    expect(status).toBe(200);
    return body.users.map(({ username }: { username: string }) => username);
}

describe('GET /v1/users/search', () => {
    it('finds by the beginning of the name, without case, by name', async () => {
        const me = await createAccount(server);
        for (const name of ['Rose-c', 'rose-A', 'ROSE-b', 'prose', 'ros', 'rosf']) await named(name);
        for (const query of ['rose', 'ROSE', 'Rose-']) {
            expect(await find(me, query)).toEqual(['rose-A', 'ROSE-b', 'Rose-c']);
        }
        expect(await find(me, 'rose-a')).toEqual(['rose-A']);
        expect(await find(me, 'rose-ax')).toEqual([]);
        expect(await find(me, 'Rose', '', '/v1/user/search')).toHaveLength(3);
    });

    it('takes wildcards for what they are', async () => {
        const me = await createAccount(server);
        await named('wild_card');
        await named('wildXcard');
        expect(await find(me, 'wild_')).toEqual(['wild_card']);
        for (const query of ['%', 'wil%', '*', 'w?ld', "' OR 1=1 --", '\\', '\u{10FFFF}', '🙂']) {
            expect(await find(me, query)).toEqual([]);
        }
    });

    it('leaves oneself out', async () => {
        const me = await named('solo-me');
        await named('solo-you');
        expect(await find(me, 'solo')).toEqual(['solo-you']);
    });

    it('shows a user as others see it, with how the caller stands to it', async () => {
        const me = await createAccount(server);
        const other = await named('visible-v', { firstName: 'Vi', lastName: 'Sible' });
        await act('add', other, me);
        const { body } = await me.call('GET', '/v1/users/search?query=visible');
        expect(body).toEqual({
            users: [
                {
                    id: other.id,
                    firstName: 'Vi',
                    lastName: 'Sible',
                    username: 'visible-v',
                    avatar: null,
                    bio: null,
                    status: 'pending',
                },
            ],
        });
    });

    it('gives at most the limit, 10 unless said', async () => {
        const me = await createAccount(server);
        for (let i = 10; i < 23; i++) await named(`many-${i}`);
        expect(await find(me, 'many')).toHaveLength(10);
        expect(await find(me, 'many', '&limit=2')).toEqual(['many-10', 'many-11']);
        expect(await find(me, 'many', '&limit=50')).toHaveLength(13);
    });

    it('is one statement in one round trip', async () => {
        const me = await createAccount(server);
        await find(me, 'x');
        expect(await roundTripsOf(server, () => find(me, 'x'))).toBe(1);
    });

    it('serves tRPC clients the same', async () => {
        const me = await createAccount(server);
        await named('typed-one');
        const { users } = await createClient(server, me.token).users.search.query({ query: 'TYPED' });
        expect(users).toMatchObject([{ username: 'typed-one', status: 'none' }]);
    });

    it.each([
        '',
        '?query=',
        `?query=${'x'.repeat(101)}`,
        '?query=x&limit=0',
        '?query=x&limit=51',
        '?query=x&limit=1.5',
        '?query=a%00',
    ])('refuses %s', async (query) => {
        const me = await createAccount(server);
        expect((await me.call('GET', `/v1/users/search${query}`)).status).toBe(400);
    });
});
