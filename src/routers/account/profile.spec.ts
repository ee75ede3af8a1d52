import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();

/** Links the account to a GitHub identity with this profile. */
async function linkGithub(account: TestAccount, profile: object): Promise<void> {
    const { DB } = server.env;
    await DB.batch([
        DB.prepare('INSERT INTO GithubUser (id, profile, createdAt, updatedAt) VALUES (?1, ?2, 1, 1)').bind(
            account.id,
            JSON.stringify(profile),
        ),
        DB.prepare('UPDATE Account SET githubUserId = ?1 WHERE id = ?1').bind(account.id),
    ]);
}

async function connect(account: TestAccount, vendor: string): Promise<void> {
    await server.env.DB.prepare(
        'INSERT INTO ServiceAccountToken (id, accountId, vendor, token, createdAt, updatedAt) VALUES (?, ?, ?, ?, 1, 1)',
    )
        .bind(crypto.randomUUID(), account.id, vendor, new Uint8Array([1]))
        .run();
}

describe.each(['/v1/account', '/v1/account/profile'])('GET %s', (path) => {
    it('shows a new account', async () => {
        const account = await createAccount(server);
        const { status, body } = await account.call('GET', path);
        expect({ status, body }).toEqual({
            status: 200,
            body: {
                id: account.id,
                timestamp: expect.any(Number),
                firstName: null,
                lastName: null,
                username: null,
                avatar: null,
                github: null,
                connectedServices: [],
            },
        });
    });

    it('shows GitHub sparsely, and the services by name', async () => {
        const account = await createAccount(server);
        await linkGithub(account, {
            id: 42,
            login: 'jane',
            name: null,
            avatar_url: 'https://a.test/42',
            bio: 'hi',
            plan: 'pro',
        });
        await connect(account, 'openai');
        await connect(account, 'anthropic');
        await connect(await createAccount(server), 'gemini');
        const { body } = await account.call('GET', path);
        expect(body.github).toEqual({
            id: 42,
            login: 'jane',
            name: 'jane',
            avatar_url: 'https://a.test/42',
            bio: 'hi',
        });
        expect(body.connectedServices).toEqual(['anthropic', 'openai']);
    });
});

describe('the profile at other doors', () => {
    it('is the same over tRPC', async () => {
        const account = await createAccount(server);
        const profile = await createClient(server, account.token).account.profile.query({});
        expect(profile).toMatchObject({ id: account.id, username: null, connectedServices: [] });
    });

    it('needs a token', async () => {
        expect((await server.fetch('/v1/account')).status).toBe(401);
    });

    it('takes one round trip', async () => {
        const account = await createAccount(server);
        await account.call('GET', '/v1/account');
        expect(await roundTripsOf(server, () => account.call('GET', '/v1/account'))).toBe(1);
    });
});

describe('ETag of the profile', () => {
    const clock = holdClock();

    it('is weak, and leaves the timestamp out', async () => {
        const account = await createAccount(server);
        const first = await account.call('GET', '/v1/account');
        clock.advance(60_000);
        const second = await account.call('GET', '/v1/account/profile');
        expect(first.headers.get('ETag')).toMatch(/^W\/"[\w-]{24}"$/);
        expect(second.headers.get('ETag')).toBe(first.headers.get('ETag'));
        expect(second.body.timestamp).toBe(first.body.timestamp + 60_000);
        expect(first.headers.get('Cache-Control')).toBe('private, no-cache');
    });

    it.each([
        ['as it is', (tag: string) => tag],
        ['without W/', (tag: string) => tag.slice(2)],
        ['in a list', (tag: string) => `"other", ${tag}`],
        ['as *', () => '*'],
    ])('answers 304 without a body to If-None-Match %s', async (_, spell) => {
        const account = await createAccount(server);
        const tag = (await account.call('GET', '/v1/account')).headers.get('ETag') ?? '';
        const again = await account.call('GET', '/v1/account', undefined, { 'If-None-Match': spell(tag) });
        expect({ status: again.status, body: again.body }).toEqual({ status: 304, body: '' });
        expect(again.headers.get('ETag')).toBe(tag);
    });

    it('changes with the profile', async () => {
        const account = await createAccount(server);
        const tag = (await account.call('GET', '/v1/account')).headers.get('ETag') ?? '';
        await account.call('PUT', '/v1/account', { firstName: 'Jane' });
        const again = await account.call('GET', '/v1/account', undefined, { 'If-None-Match': tag });
        expect(again.status).toBe(200);
        expect(again.body.firstName).toBe('Jane');
        expect(again.headers.get('ETag')).not.toBe(tag);
    });

    it('P8 isolation: differs from one account to another', async () => {
        const [a, b] = [await createAccount(server), await createAccount(server)];
        const tag = (await a.call('GET', '/v1/account')).headers.get('ETag') ?? '';
        expect((await b.call('GET', '/v1/account', undefined, { 'If-None-Match': tag })).status).toBe(200);
    });
});
