import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { getDb } from '@/db/client';
import { sweepRepeatKeys } from '@/db/repeat-keys';
import { stockUpdate } from '@/http/dialect-events';
import type { UpdateBody } from '@/realtime/bodies';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { connectGithub, createPerson, fetchState, githubServices } from '@test/helpers/github';
import { probeHubs } from '@test/helpers/hubs';
import { keepErrorLog } from '@test/helpers/log';
import { seqOf, updatesOf } from '@test/helpers/updates';

const hubs = probeHubs();
const { server, services } = githubServices({ ACCOUNT_HUB: hubs.binding });
keepErrorLog();

const githubRows = async (id: number) =>
    (
        await env.DB.prepare('SELECT profile, createdAt, updatedAt FROM GithubUser WHERE id = ?')
            .bind(String(id))
            .all<{ profile: string }>()
    ).results;

describe('linking GitHub', () => {
    it('stores of the profile only what is shown', async () => {
        const account = await createAccount(server);
        const person = createPerson({ email: 'octo@github.test', name: null, bio: null });
        await connectGithub(server, services, account, { person });
        const [row] = await githubRows(person.id);
        const shown = {
            id: person.id,
            login: person.login,
            name: person.login,
            avatar_url: person.avatar_url,
            bio: null,
            email: 'octo@github.test',
        };
        expect(JSON.parse(row?.profile ?? '')).toEqual(shown);
        expect((await account.call('GET', '/v1/account')).body.github).toEqual(shown);
    });

    it('names an email to stock clients that is not public', async () => {
        const account = await createAccount(server);
        await connectGithub(server, services, account, { person: createPerson({ email: null }) });
        const stock = { 'X-Happy-Client': 'ios/1.7.0' };
        expect((await account.call('GET', '/v1/account/profile')).body.github).not.toHaveProperty('email');
        const { body } = await account.call('GET', '/v1/account/profile', undefined, stock);
        expect(body.github).toHaveProperty('email', null);
        const told = (await updatesOf(server, account)).map(({ update }) =>
            stockUpdate({ ...update, body: update.body as unknown as UpdateBody }),
        );
        expect(told).toContainEqual(
            expect.objectContaining({ body: expect.objectContaining({ t: 'update-account', github: body.github }) }),
        );
    });

    it('fills the names an account lacks, and says so', async () => {
        const account = await createAccount(server);
        const before = await seqOf(server, account);
        const { person } = await connectGithub(server, services, account);
        const { body } = await account.call('GET', '/v1/account');
        expect(body).toMatchObject({ firstName: 'Octo', lastName: 'Cat Doe', username: person.login });
        expect((await updatesOf(server, account)).map(({ update, to }) => [update.seq, update.body, to])).toEqual([
            [
                before + 1,
                {
                    t: 'update-account',
                    id: account.id,
                    github: body.github,
                    firstName: 'Octo',
                    lastName: 'Cat Doe',
                    username: person.login,
                },
                {},
            ],
        ]);
    });

    it('leaves names that are there, and usernames that are others’', async () => {
        const [named, other] = [await createAccount(server), await createAccount(server)];
        const person = createPerson({ login: `Taken-${crypto.randomUUID().slice(0, 8)}` });
        await other.call('PUT', '/v1/account', { username: person.login.toLowerCase() });
        await named.call('PUT', '/v1/account', { lastName: 'Mine' });
        await connectGithub(server, services, named, { person });
        expect((await named.call('GET', '/v1/account')).body).toMatchObject({
            firstName: null,
            lastName: 'Mine',
            username: null,
        });
        expect((await other.call('GET', '/v1/account')).body.username).toBe(person.login.toLowerCase());
    });

    it('makes no username of a login that cannot be one', async () => {
        const account = await createAccount(server);
        await connectGithub(server, services, account, { person: createPerson({ login: 'ab', name: '  ' }) });
        expect((await account.call('GET', '/v1/account')).body).toMatchObject({
            firstName: null,
            lastName: null,
            username: null,
        });
    });

    it('again refreshes profile and token', async () => {
        const account = await createAccount(server);
        const { person } = await connectGithub(server, services, account);
        await connectGithub(server, services, account, { person: { ...person, bio: 'Older now' } });
        expect((await account.call('GET', '/v1/account')).body.github.bio).toBe('Older now');
        expect(await githubRows(person.id)).toHaveLength(1);
    });

    it('another identity drops the one the account had, token and all', async () => {
        const account = await createAccount(server);
        const { person: old } = await connectGithub(server, services, account);
        const { person: next } = await connectGithub(server, services, account);
        expect((await account.call('GET', '/v1/account')).body.github.id).toBe(next.id);
        expect(await githubRows(old.id)).toEqual([]);
    });
});

describe('an identity that another account has', () => {
    it('moves, and both accounts are told, the old one first', async () => {
        const [before, after] = [await createAccount(server), await createAccount(server)];
        const { person } = await connectGithub(server, services, before);
        const seqs = { before: await seqOf(server, before), after: await seqOf(server, after) };
        hubs.attempts.length = 0;
        await connectGithub(server, services, after, { person });

        expect((await before.call('GET', '/v1/account')).body.github).toBeNull();
        expect((await after.call('GET', '/v1/account')).body.github.id).toBe(person.id);
        expect(await githubRows(person.id)).toHaveLength(1);
        const told = hubs.attempts.map(({ accountId, seq, updates }) => [
            accountId,
            seq,
            updates.map(({ update }) => update.body),
        ]);
        expect(told).toEqual([
            [before.id, seqs.before + 1, [{ t: 'update-account', id: before.id, github: null }]],
            [
                after.id,
                seqs.after + 1,
                [expect.objectContaining({ t: 'update-account', github: expect.objectContaining({ id: person.id }) })],
            ],
        ]);
        expect([await seqOf(server, before), await seqOf(server, after)]).toEqual([seqs.before + 1, seqs.after + 1]);
    });

    it('swaps without leaving anybody two', async () => {
        const [one, two] = [await createAccount(server), await createAccount(server)];
        const { person: a } = await connectGithub(server, services, one);
        const { person: b } = await connectGithub(server, services, two);
        await connectGithub(server, services, one, { person: b });
        expect((await one.call('GET', '/v1/account')).body.github.id).toBe(b.id);
        expect((await two.call('GET', '/v1/account')).body.github).toBeNull();
        expect(await githubRows(a.id)).toEqual([]);
    });

    it('stays where it is when the batch fails', async () => {
        const [before, after] = [await createAccount(server), await createAccount(server)];
        const { person } = await connectGithub(server, services, before);
        const state = await fetchState(after);
        const seq = await seqOf(server, before);
        server.db.roundTrips = 0;
        server.db.failBy((call) => (call === 2 ? 'before' : undefined));
        await connectGithub(server, services, after, { person, state });
        server.db.failBy(null);
        expect((await before.call('GET', '/v1/account')).body.github.id).toBe(person.id);
        expect(await seqOf(server, before)).toBe(seq);
    });
});

describe('unlinking GitHub', () => {
    it('forgets identity and token, keeps the names, and says so', async () => {
        const account = await createAccount(server);
        const { person } = await connectGithub(server, services, account);
        const seq = await seqOf(server, account);
        expect(await account.call('DELETE', '/v1/connect/github')).toMatchObject({
            status: 200,
            body: { success: true },
        });
        expect((await account.call('GET', '/v1/account')).body).toMatchObject({ github: null, username: person.login });
        expect(await githubRows(person.id)).toEqual([]);
        const bodies = (await updatesOf(server, account, seq)).map(({ update }) => [update.seq, update.body]);
        expect(bodies).toEqual([[seq + 1, { t: 'update-account', id: account.id, github: null }]]);
    });

    it('succeeds when nothing was linked, and takes no number', async () => {
        const account = await createAccount(server);
        const seq = await seqOf(server, account);
        expect(await account.call('DELETE', '/v1/connect/github')).toMatchObject({
            status: 200,
            body: { success: true },
        });
        expect(await seqOf(server, account)).toBe(seq);
    });

    it('P8 touches nobody else’s', async () => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        const { person } = await connectGithub(server, services, owner);
        await stranger.call('DELETE', '/v1/connect/github');
        expect((await owner.call('GET', '/v1/account')).body.github.id).toBe(person.id);
    });
});

describe('used states', () => {
    const clock = holdClock();

    it('are swept once they would have run out anyway', async () => {
        const account = await createAccount(server);
        await connectGithub(server, services, account);
        const count = () =>
            env.DB.prepare(`SELECT count(*) n FROM RepeatKey WHERE key LIKE 'github-state:%' AND createdAt = ?`)
                .bind(start)
                .first('n');
        const start = Date.now();
        const sweep = () => sweepRepeatKeys({ db: getDb(server.env.DB), now: () => Date.now() });
        clock.advance(299_000);
        await sweep();
        expect(await count()).toBe(1);
        clock.advance(1000);
        await sweep();
        expect(await count()).toBe(0);
    });
});
