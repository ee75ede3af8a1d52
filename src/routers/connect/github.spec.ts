import { describe, expect, it } from 'vitest';
import { createTokenCodec } from '@/crypto/privacy-kit-token';
import { loadConfig } from '@/env';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { comeBack, connectGithub, createPerson, fetchState, githubServices } from '@test/helpers/github';
import { keepErrorLog } from '@test/helpers/log';
import type { TestServer } from '@test/helpers/server';
import { startServer } from '@test/helpers/server';
import { SECRETS } from '@test/services/services';
import type { PlannedAnswer } from '@test/services/services';

const EXCHANGE = 'POST /login/oauth/access_token';

const lines = keepErrorLog();

const stateCodecOf = async (server: TestServer, service = 'github-happy', ttlSeconds = 300) =>
    createTokenCodec({ seed: (await loadConfig(server.env)).keys.githubStateSeed, service, ttlSeconds });

describe('GitHub params', () => {
    const clock = holdClock();

    it('name the app, where to come back to, and a state of 5 minutes for the account', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        const { status, body } = await account.call('GET', '/v1/connect/github/params');
        expect(status).toBe(200);
        const url = new URL(body.url);
        expect(url.origin + url.pathname).toBe(
            `${new URL(services.url).origin}${new URL(services.url).pathname}/login/oauth/authorize`,
        );
        expect(url.searchParams.get('client_id')).toBe('github-client-id');
        expect(url.searchParams.get('redirect_uri')).toBe('https://happy.test/v1/connect/github/callback');
        expect(url.searchParams.get('scope')).toBe('read:user user:email');

        const codec = await stateCodecOf(server);
        const state = url.searchParams.get('state') ?? '';
        expect(await codec.verify(state, Date.now())).toMatchObject({ user: account.id });
        clock.advance(300_000);
        expect(await codec.verify(state, Date.now())).toBeNull();
    });

    it('are of github.com unless configured otherwise', async () => {
        const server = startServer({ GITHUB_CLIENT_ID: 'id', GITHUB_REDIRECT_URL: 'https://happy.test/back' });
        const account = await createAccount(server);
        const { body } = await account.call('GET', '/v1/connect/github/params');
        expect(body.url).toMatch(/^https:\/\/github\.com\/login\/oauth\/authorize\?client_id=id&/);
    });

    it.each(['GITHUB_CLIENT_ID', 'GITHUB_REDIRECT_URL'])('are refused without %s', async (name) => {
        const { server } = githubServices({ [name]: undefined });
        const account = await createAccount(server);
        const { status, body } = await account.call('GET', '/v1/connect/github/params');
        expect({ status, body }).toMatchObject({
            status: 400,
            body: { error: 'GitHub OAuth not configured', code: 'VALIDATION_FAILED' },
        });
    });
});

describe('GitHub callback', () => {
    it('links the person who comes back', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        const { person, location } = await connectGithub(server, services, account, { accessToken: 'gho_secret' });
        expect(location.href).toBe(`https://app.test/?github=connected&user=${person.login}`);
        expect((await account.call('GET', '/v1/account')).body.github).toEqual({
            id: person.id,
            login: person.login,
            name: 'Octo Cat Doe',
            avatar_url: person.avatar_url,
            bio: 'A cat',
        });

        const [exchange, user] = await services.requests();
        expect(exchange).toMatchObject({
            method: 'POST',
            path: '/login/oauth/access_token',
            headers: { accept: 'application/json' },
        });
        expect(JSON.parse(exchange?.body ?? '')).toEqual({
            client_id: 'github-client-id',
            client_secret: SECRETS.GITHUB_CLIENT_SECRET,
            code: 'code-1',
        });
        expect(user?.headers).toMatchObject({
            authorization: 'Bearer gho_secret',
            'user-agent': 'happy-server-workers',
        });
        expect(lines).toEqual([]);
    });

    it('keeps a query that the app URL has', async () => {
        const { server, services } = githubServices({ HAPPY_APP_URL: 'https://app.test/home?from=server' });
        const { location, person } = await connectGithub(server, services, await createAccount(server));
        expect(location.href).toBe(`https://app.test/home?from=server&github=connected&user=${person.login}`);
    });

    it('uses a state once, however often GitHub agrees', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        const state = await fetchState(account);
        const first = await connectGithub(server, services, account, { state });
        expect(first.location.searchParams.get('github')).toBe('connected');
        const again = await connectGithub(server, services, account, { state });
        expect(again.location.href).toBe('https://app.test/?error=invalid_state');
        expect((await account.call('GET', '/v1/account')).body.github.login).toBe(first.person.login);
    });

    it('uses a state once under concurrency', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        const state = await fetchState(account);
        await services.plan(EXCHANGE, { body: { access_token: 'gho' }, always: true });
        for (let i = 0; i < 8; i++) await services.plan('GET /user', { body: createPerson() });
        const places = await Promise.all(Array.from({ length: 8 }, () => comeBack(server, { code: 'c', state })));
        const winners = places.filter((place) => place.searchParams.get('github') === 'connected');
        expect(winners).toHaveLength(1);
        const { body } = await account.call('GET', '/v1/account');
        expect(body.github.login).toBe(winners[0]?.searchParams.get('user'));
    });

    it.each<[string, Record<string, string>, Omit<PlannedAnswer, 'on'>, string]>([
        ['the person refused', { error: 'access_denied' }, {}, 'access_denied'],
        ['there was no code', {}, {}, 'no_access_token'],
        [
            'GitHub refused the code',
            { code: 'c' },
            { body: { error: 'bad_verification_code' } },
            'bad_verification_code',
        ],
        ['GitHub was down', { code: 'c' }, { status: 500 }, 'server_error'],
    ])('takes no state twice, though %s the first time', async (_, query, exchange, error) => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        const state = await fetchState(account);
        await services.plan(EXCHANGE, exchange);
        expect((await comeBack(server, { ...query, state })).href).toBe(`https://app.test/?error=${error}`);
        const asked = (await services.requests()).length;
        const { location } = await connectGithub(server, services, account, { state });
        expect(location.href).toBe('https://app.test/?error=invalid_state');
        expect(await services.requests()).toHaveLength(asked);
        expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
    });

    it('asks the database twice: to spend the state before GitHub is asked, and for the link', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        const state = await fetchState(account);
        server.db.roundTrips = 0;
        await connectGithub(server, services, account, { state });
        expect(server.db.roundTrips).toBe(2);
    });
});

describe('GitHub callback refuses', () => {
    const clock = holdClock();

    it('a state that is none, forged, expired, of a login token or another account’s key', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        const issuedAt = Math.floor(Date.now() / 1000);
        const sign = async (service: string) =>
            (await stateCodecOf(server, service)).sign({ user: account.id, issuedAt, jti: 'forged' });
        const expired = await fetchState(account);
        clock.advance(300_000);
        const forged = (await fetchState(account)).replace(/.{4}$/, 'AAAA');
        for (const state of ['', 'x', account.token, forged, expired, await sign('github-other')]) {
            expect((await comeBack(server, { code: 'c', state })).href).toBe('https://app.test/?error=invalid_state');
        }
        expect((await comeBack(server, {})).href).toBe('https://app.test/?error=invalid_state');
        expect(await services.requests()).toEqual([]);
    });

    it('with GitHub’s own word, as far as it is one', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        expect((await comeBack(server, { error: 'access_denied', state: await fetchState(account) })).href).toBe(
            'https://app.test/?error=access_denied',
        );
        const nasty = await comeBack(server, { error: '"><script>', state: await fetchState(account) });
        expect(nasty.href).toBe('https://app.test/?error=server_error');
        await services.plan(EXCHANGE, {
            body: { error: 'bad_verification_code', error_description: 'The code is wrong' },
        });
        expect((await comeBack(server, { code: 'c', state: await fetchState(account) })).href).toBe(
            'https://app.test/?error=bad_verification_code',
        );
    });

    it.each(['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'])('without %s', async (name) => {
        const { server } = githubServices();
        const state = await fetchState(await createAccount(server));
        const { server: bare } = githubServices({ [name]: undefined });
        expect((await comeBack(bare, { code: 'c', state })).href).toBe('https://app.test/?error=server_config');
    });

    const withoutToken: [string, Omit<PlannedAnswer, 'on'>, string][] = [
        ['sends no token', { body: { token_type: 'bearer' } }, 'no_access_token'],
        ['sends a token no header can hold', { body: { access_token: 'gho_ключ' } }, 'server_error'],
        ['is down', { status: 500 }, 'server_error'],
        ['says nothing', { fault: 'silent' }, 'server_error'],
        ['sends HTML', { body: '<html>' }, 'server_error'],
        ['never stops', { fault: 'huge' }, 'server_error'],
        ['redirects', { status: 302, headers: { Location: 'https://evil.test/' } }, 'server_error'],
    ];
    it.each(withoutToken)('when the exchange %s', async (_name, answer, error) => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        await services.plan(EXCHANGE, answer);
        const location = await comeBack(server, { code: 'c', state: await fetchState(account) });
        expect(location.href).toBe(`https://app.test/?error=${error}`);
        expect(await services.requests('/user')).toEqual([]);
        expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
        for (const secret of [SECRETS.GITHUB_CLIENT_SECRET, 'gho_', services.url])
            expect(lines.join()).not.toContain(secret);
    });

    it('without a code', async () => {
        const { server } = githubServices();
        const state = await fetchState(await createAccount(server));
        expect((await comeBack(server, { state })).href).toBe('https://app.test/?error=no_access_token');
    });

    it.each<[string, Omit<PlannedAnswer, 'on'>]>([
        ['is refused', { status: 401 }],
        ['stalls', { body: createPerson(), fault: 'stall' }],
        ['names nobody', { body: { message: 'Bad credentials' } }],
        ['has a number for a login', { body: { id: 1, login: 2 } }],
        ['redirects', { status: 301, headers: { Location: 'https://evil.test/' } }],
    ])('when the profile %s', async (_name, answer) => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        await services.plan(EXCHANGE, { body: { access_token: 'gho_secret' } });
        await services.plan('GET /user', answer);
        const location = await comeBack(server, { code: 'c', state: await fetchState(account) });
        expect(location.href).toBe('https://app.test/?error=github_user_fetch_failed');
        expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
        expect(lines.join()).toContain('GitHub profile not fetched');
        expect(lines.join()).not.toContain('gho_secret');
    });

    it('when the database is away, and nothing is half-written', async () => {
        const { server, services } = githubServices();
        const account = await createAccount(server);
        for (const failing of [1, 2]) {
            const state = await fetchState(account);
            server.db.roundTrips = 0;
            server.db.failBy((call) => (call === failing ? 'before' : undefined));
            const { location } = await connectGithub(server, services, account, { state });
            server.db.failBy(null);
            expect(location.href).toBe('https://app.test/?error=server_error');
            expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
        }
        const { location } = await connectGithub(server, services, account);
        expect(location.searchParams.get('github')).toBe('connected');
    });
});
