import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { initAuth } from '@/auth/auth';
import { loadConfig } from '@/env';
import type { TestAccount } from '@test/helpers/account';
import { accountOf, call, createAccount, loginBody, payloadOf } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { createDevice, PAIRINGS } from '@test/helpers/pairing';
import type { TestServer } from '@test/helpers/server';
import { startServer } from '@test/helpers/server';

const server = startServer();
/** Another isolate: the same database, a token cache of its own. */
const elsewhere = startServer();
const clock = holdClock();

const at = (place: TestServer, { token, keys }: TestAccount) => accountOf(place, token, keys);
const probe = async (account: TestAccount) => (await account.call('GET', '/v1/sessions')).status;

async function logIn({ keys }: TestAccount): Promise<TestAccount> {
    const { body } = await call(server, 'POST', '/v1/auth', await loginBody(keys));
    return accountOf(server, body.token, keys);
}

async function refresh(account: TestAccount): Promise<TestAccount> {
    const { status, body } = await account.call('POST', '/v1/auth/refresh');
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['success', 'token']);
    return accountOf(server, body.token, account.keys);
}

describe('POST /v1/auth/refresh', () => {
    it('gives a new token of the account and leaves the old one valid', async () => {
        const account = await createAccount(server);
        clock.advance(5000);
        const refreshed = await refresh(account);
        expect(refreshed.id).toBe(account.id);
        const [old, fresh] = [payloadOf(account.token), payloadOf(refreshed.token)];
        expect(fresh.jti).not.toBe(old.jti);
        expect(fresh.iat).toBe(old.iat + 5);
        expect([await probe(account), await probe(refreshed)]).toEqual([200, 200]);
    });

    it("keeps the extras, whatever they are, in their place: a terminal's session", async () => {
        const account = await createAccount(server);
        const terminal = createDevice(server, PAIRINGS[0]);
        await terminal.poll();
        await terminal.answer(account);
        const paired = accountOf(server, (await terminal.poll()).body.token, account.keys);
        const { session } = payloadOf(paired.token);
        expect(session).toMatch(/^c/);
        const twice = await refresh(await refresh(paired));
        expect(Object.keys(payloadOf(twice.token))).toEqual(['sub', 'session', 'iat', 'nbf', 'iss', 'jti']);
        expect(payloadOf(twice.token).session).toBe(session);
    });
});

describe('POST /v1/auth/logout', () => {
    it("ends the calling token at once here, and no other of the account's", async () => {
        const account = await createAccount(server);
        const other = await logIn(account);
        expect([await probe(account), await probe(other)]).toEqual([200, 200]);
        expect(await account.call('POST', '/v1/auth/logout')).toMatchObject({ status: 200, body: { success: true } });
        expect([await probe(account), await probe(other)]).toEqual([401, 200]);
        const again = await account.call('POST', '/v1/auth/logout');
        expect(again).toMatchObject({ status: 401, body: { error: 'Unauthorized', code: 'UNAUTHORIZED' } });
    });

    it('ends it within 60 s in an isolate that had it in its cache', async () => {
        const account = await createAccount(server);
        const there = at(elsewhere, account);
        expect(await probe(there)).toBe(200);
        await account.call('POST', '/v1/auth/logout');
        clock.advance(60_000);
        expect(await probe(there)).toBe(401);
    });

    it('ends it at once in an isolate that had not', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/auth/logout');
        expect(await probe(at(elsewhere, account))).toBe(401);
    });

    it('ends it for good', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/auth/logout');
        clock.advance(10 * 365 * 86_400_000);
        expect(await probe(account)).toBe(401);
    });

    it('a login right after it works', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/auth/logout');
        expect(await probe(await logIn(account))).toBe(200);
    });

    it('P9: ends it at once also when the answer of the database was lost', async () => {
        const account = await createAccount(server);
        await probe(account);
        const log = vi.spyOn(console, 'error').mockImplementation(() => {});
        server.db.failNext('after');
        expect((await account.call('POST', '/v1/auth/logout')).status).toBe(503);
        log.mockRestore();
        expect(await probe(account)).toBe(401);
    });
});

describe('POST /v1/auth/logout-all', () => {
    it('ends every token of the account issued up to now: logins, refreshed ones, paired ones', async () => {
        const account = await createAccount(server);
        const terminal = createDevice(server, PAIRINGS[0]);
        await terminal.poll();
        await terminal.answer(account);
        const paired = accountOf(server, (await terminal.poll()).body.token, account.keys);
        const all = [account, paired, await logIn(account), await refresh(account), await refresh(paired)];
        for (const one of all) expect(await probe(one)).toBe(200);
        clock.advance(999);
        const newest = await logIn(account);
        expect(await newest.call('POST', '/v1/auth/logout-all')).toMatchObject({
            status: 200,
            body: { success: true },
        });
        for (const one of [...all, newest]) expect(await probe(one)).toBe(401);
    });

    it('within 60 s in other isolates', async () => {
        const account = await createAccount(server);
        const [cached, other] = [at(elsewhere, account), at(elsewhere, await logIn(account))];
        expect(await probe(cached)).toBe(200);
        await account.call('POST', '/v1/auth/logout-all');
        expect(await probe(other)).toBe(401);
        clock.advance(60_000);
        expect(await probe(cached)).toBe(401);
    });

    it.each([0, 500, 999])('a login right after it works, %i ms into the second', async (ms) => {
        clock.setMillisecond(ms);
        const account = await createAccount(server);
        await account.call('POST', '/v1/auth/logout-all');
        const second = Math.floor(Date.now() / 1000);
        const next = await logIn(account);
        expect(payloadOf(next.token)).toMatchObject({ iat: second + 1, nbf: second + 1 });
        expect([await probe(next), await probe(at(elsewhere, next)), await probe(account)]).toEqual([200, 200, 401]);
        expect(await probe(await refresh(next))).toBe(200);
        clock.advance(3_600_000);
        expect(await probe(next)).toBe(200);
        expect(await probe(account)).toBe(401);
    });

    it('repeated with a login in between, all in one second: each time all before are dead and the next login works', async () => {
        clock.setMillisecond(0);
        let current = await createAccount(server);
        const dead: TestAccount[] = [];
        for (let i = 0; i < 5; i++) {
            expect((await current.call('POST', '/v1/auth/logout-all')).status).toBe(200);
            dead.push(current);
            current = await logIn(current);
            expect(await probe(current)).toBe(200);
            for (const old of dead) expect(await probe(old)).toBe(401);
        }
        // One more would date the next login beyond what clocks are forgiven, so it has to wait for the clock.
        const refused = await current.call('POST', '/v1/auth/logout-all');
        expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
        expect(refused.headers.get('Retry-After')).toBe('1');
        clock.advance(1000);
        expect((await current.call('POST', '/v1/auth/logout-all')).status).toBe(200);
        expect([await probe(current), await probe(await logIn(current))]).toEqual([401, 200]);
    });

    it('20 at once push the next login no further than one', async () => {
        const account = await createAccount(server);
        await probe(account);
        const answers = await Promise.all(
            Array.from({ length: 20 }, () => account.call('POST', '/v1/auth/logout-all')),
        );
        // Only one finds its token alive; the others learn that it is not.
        const counts = [200, 401].map((status) => answers.filter((answer) => answer.status === status).length);
        expect(counts).toEqual([1, 19]);
        expect(await probe(await logIn(account))).toBe(200);
    });
});

describe('a token that was ended, in an isolate that does not know it yet', () => {
    const endings = [
        ['logout', '/v1/auth/logout'],
        ['logout-all', '/v1/auth/logout-all'],
    ];

    it.each(endings)('after %s: gives out no lasting access', async (_, path) => {
        const account = await createAccount(server);
        const there = at(elsewhere, account);
        const devices = PAIRINGS.map((pairing) => createDevice(elsewhere, pairing));
        for (const device of devices) await device.poll();

        const attempts = [
            () => there.call('POST', '/v1/auth/refresh'),
            () => there.call('POST', '/v1/auth/logout-all'),
            ...devices.map((device) => () => device.answer(there)),
        ];
        expect(await probe(there)).toBe(200);
        await account.call('POST', path);
        const later = await logIn(account);
        for (const attempt of attempts) {
            await elsewhereRemembers(there);
            expect(await attempt()).toMatchObject({ status: 401, body: { error: 'Unauthorized' } });
            // It has learnt so from the attempt.
            expect(await probe(there)).toBe(401);
        }
        for (const device of devices) expect((await device.poll()).body).toEqual({ state: 'requested' });
        expect(await probe(later)).toBe(200);
    });

    /** Puts the token back into that isolate's cache, as if its lookup had come before the ending. */
    async function elsewhereRemembers({ token }: TestAccount): Promise<void> {
        const auth = initAuth(await loadConfig(elsewhere.env));
        await auth.verifyToken(token, async () => true);
    }
});

describe('a token that is none', () => {
    it('401 for one of an account that does not exist', async () => {
        const token = await initAuth(await loadConfig(server.env)).createToken('nobody');
        const { status, body } = await call(server, 'GET', '/v1/sessions', undefined, {
            Authorization: `Bearer ${token}`,
        });
        expect(status).toBe(401);
        expect(body).toEqual({ error: 'Unauthorized', code: 'UNAUTHORIZED', requestId: expect.any(String) });
    });

    it('401 once the account is gone, at the latest after 60 s', async () => {
        const account = await createAccount(server);
        expect(await probe(account)).toBe(200);
        await env.DB.prepare('DELETE FROM Account WHERE id = ?').bind(account.id).run();
        clock.advance(60_000);
        expect(await probe(account)).toBe(401);
    });

    it('401 for one that another master secret signed', async () => {
        const account = await createAccount(server);
        const config = await loadConfig({ ...env });
        const keys = { ...config.keys, loginSeed: new Uint8Array(32).fill(9) };
        const token = await initAuth({ ...config, keys }).createToken(account.id);
        expect(await probe(accountOf(server, token, account.keys))).toBe(401);
    });

    it.each([
        ['none', undefined],
        ['another scheme', 'Basic TOKEN'],
        ['no scheme', 'TOKEN'],
        ['two tokens', 'Bearer TOKEN TOKEN'],
        ['a tampered one', 'Bearer TOKENx'],
    ])('401 for %s', async (_, header) => {
        const { token } = await createAccount(server);
        const headers: Record<string, string> = header ? { Authorization: header.replaceAll('TOKEN', token) } : {};
        for (const path of ['/v1/auth/refresh', '/v1/auth/logout', '/v1/auth/logout-all']) {
            const answer = await call(server, 'POST', path, undefined, headers);
            expect(answer).toMatchObject({ status: 401, body: { error: 'Unauthorized', code: 'UNAUTHORIZED' } });
        }
    });

    it.each(['bearer', 'BEARER', 'Bearer '])('takes the scheme as %j', async (scheme) => {
        const { token } = await createAccount(server);
        const answer = await call(server, 'POST', '/v1/auth/refresh', undefined, {
            Authorization: `${scheme} ${token}`,
        });
        expect(answer.status).toBe(200);
    });
});
