import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';

const server = startServer();

describe.each(['/v1/users', '/v1/user'])('GET %s/:id', (path) => {
    it('shows any account, the GitHub login standing in for a missing username', async () => {
        const [me, other] = [await createAccount(server), await createAccount(server)];
        const { DB } = server.env;
        await DB.batch([
            DB.prepare('INSERT INTO GithubUser (id, profile, createdAt, updatedAt) VALUES (?, ?, 1, 1)').bind(
                other.id,
                JSON.stringify({ id: 7, login: 'octocat', bio: 'likes the sea', email: 'secret@a.test' }),
            ),
            DB.prepare('UPDATE Account SET githubUserId = ?1 WHERE id = ?1').bind(other.id),
        ]);
        const { status, body } = await me.call('GET', `${path}/${other.id}`);
        expect({ status, body }).toEqual({
            status: 200,
            body: {
                user: {
                    id: other.id,
                    firstName: '',
                    lastName: null,
                    username: 'octocat',
                    avatar: null,
                    bio: 'likes the sea',
                    status: 'none',
                },
            },
        });
    });

    it('shows oneself as nothing to oneself', async () => {
        const me = await createAccount(server);
        expect((await me.call('GET', `${path}/${me.id}`)).body.user).toMatchObject({ id: me.id, status: 'none' });
    });

    it.each(['nobody', '%25', encodeURIComponent("' OR 1=1 --"), encodeURIComponent('🙂')])(
        'does not know %s',
        async (id) => {
            const me = await createAccount(server);
            const { status, body } = await me.call('GET', `${path}/${id}`);
            expect({ status, body }).toMatchObject({
                status: 404,
                body: { error: 'User not found', code: 'NOT_FOUND' },
            });
        },
    );

    it.each(['x'.repeat(129), 'a%00b'])('refuses the id %s', async (id) => {
        const me = await createAccount(server);
        expect((await me.call('GET', `${path}/${id}`)).status).toBe(400);
    });

    it('takes one round trip', async () => {
        const me = await createAccount(server);
        await me.call('GET', `${path}/nobody`);
        expect(await roundTripsOf(server, () => me.call('GET', `${path}/${me.id}`))).toBe(1);
    });
});
