import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '@/crypto/base64';
import { encodeHexUpper } from '@/crypto/hex';
import clients from '@test/fixtures/vectors/clients.json';
import { call, createLoginKeys, loginBody, payloadOf } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();
const login = (body: unknown) => call(server, 'POST', '/v1/auth', body);

/** Accounts that the database has under this spelling of a public key. */
async function accountsOf(publicKey: string): Promise<string[]> {
    const rows = await env.DB.prepare('SELECT id FROM Account WHERE publicKey = ?')
        .bind(publicKey)
        .all<{ id: string }>();
    return rows.results.map(({ id }) => id);
}

describe('POST /v1/auth with the vectors of real clients', () => {
    // The contract asks for 16 bytes and more, which the client that sends none does not reach.
    const acceptable = clients.groups.authChallenge.cases.filter(({ challengeHex }) => challengeHex.length >= 32);

    it.each(acceptable)('authChallenge $challengeHex', async (vector) => {
        const { status, body } = await login(vector.requestBody);
        expect({ status, body }).toEqual({ status: 200, body: { success: true, token: expect.any(String) } });
        expect(await accountsOf(vector.accountPublicKeyHexUpper)).toEqual([payloadOf(body.token).sub]);
    });

    it('authChallenge without a challenge', async () => {
        const vector = clients.groups.authChallenge.cases.find(({ challengeHex }) => challengeHex === '')!;
        expect((await login(vector.requestBody)).status).toBe(400);
    });

    it.each(clients.groups.authVerify.cases.filter(({ level }) => level === 'must'))(
        'authVerify $name',
        async ({ requestBody, reference }) => {
            const { status, body } = await login(requestBody);
            if (reference === 'accept') {
                expect(status).toBe(200);
            } else if (reference === 'reject') {
                expect(status).toBe(401);
                expect(body).toEqual({
                    error: 'Invalid signature',
                    code: 'UNAUTHORIZED',
                    requestId: expect.any(String),
                });
            } else {
                expect(status).toBe(400);
                expect(body).toMatchObject({ code: 'VALIDATION_FAILED', issues: [{ message: expect.any(String) }] });
            }
        },
    );

    it.each(clients.groups.authVerify.cases.filter(({ level }) => level === 'may'))(
        'authVerify, stricter than the original: $name',
        async ({ name, requestBody }) => {
            expect((await login(requestBody)).status).toBe(name.startsWith('base64') ? 400 : 401);
        },
    );
});

describe('POST /v1/auth with bad input', () => {
    const bytes = (length: number) => encodeBase64(new Uint8Array(length));

    it.each([
        ['publicKey', 'of 31 bytes', bytes(31)],
        ['publicKey', 'of 33 bytes', bytes(33)],
        ['publicKey', 'of none', ''],
        ['publicKey', 'null', null],
        ['publicKey', 'a number', 7],
        ['publicKey', 'missing', undefined],
        ['challenge', 'of 15 bytes', bytes(15)],
        ['challenge', 'of 1025 bytes', bytes(1025)],
        ['challenge', 'in another alphabet', 'not base64 at all'],
        ['challenge', 'without padding', bytes(32).replace('=', '')],
        ['challenge', 'missing', undefined],
        ['signature', 'of 63 bytes', bytes(63)],
        ['signature', 'of 65 bytes', bytes(65)],
        ['signature', 'in base64url', `${'_'.repeat(85)}w==`],
        ['signature', 'a list', ['a']],
        ['signature', 'missing', undefined],
    ])('400 for a %s %s, naming it, with nothing written', async (field, _, value) => {
        const keys = await createLoginKeys();
        const { roundTrips } = server.db;
        const { status, body } = await login({ ...(await loginBody(keys)), [field]: value });
        expect(status).toBe(400);
        expect(body.code).toBe('VALIDATION_FAILED');
        expect(body.issues[0].path).toBe(field);
        expect(server.db.roundTrips).toBe(roundTrips);
    });

    it.each([16, 1024])('takes a challenge of %i bytes', async (length) => {
        const body = await loginBody(await createLoginKeys(), crypto.getRandomValues(new Uint8Array(length)));
        expect((await login(body)).status).toBe(200);
    });

    it("401 for another key's signature, without asking the database", async () => {
        const [mine, theirs] = [await createLoginKeys(), await createLoginKeys()];
        const body = { ...(await loginBody(theirs)), publicKey: encodeBase64(mine.publicKey) };
        const { roundTrips } = server.db;
        expect(await login(body)).toMatchObject({ status: 401, body: { error: 'Invalid signature' } });
        expect(server.db.roundTrips).toBe(roundTrips);
        expect(await accountsOf(encodeHexUpper(mine.publicKey))).toEqual([]);
    });
});

describe('the account of a key', () => {
    it('is made with the first login and the same ever after, in one round trip each', async () => {
        const keys = await createLoginKeys();
        const subjects: unknown[] = [];
        for (let i = 0; i < 3; i++) {
            const { roundTrips } = server.db;
            subjects.push(payloadOf((await login(await loginBody(keys))).body.token).sub);
            expect(server.db.roundTrips).toBe(roundTrips + 1);
        }
        const stored = await accountsOf(encodeHexUpper(keys.publicKey));
        expect(stored).toHaveLength(1);
        expect(new Set(subjects)).toEqual(new Set(stored));
    });

    it('is one under 20 parallel first logins', async () => {
        const keys = await createLoginKeys();
        const bodies = await Promise.all(Array.from({ length: 20 }, () => loginBody(keys)));
        const answers = await Promise.all(bodies.map(login));
        expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
        const stored = await accountsOf(encodeHexUpper(keys.publicKey));
        expect(stored).toHaveLength(1);
        expect(new Set(answers.map(({ body }) => payloadOf(body.token).sub))).toEqual(new Set(stored));
    });

    it('is stored under upper-case hex, so an account of a migrated database is found', async () => {
        const keys = await createLoginKeys();
        const id = `migrated-${crypto.randomUUID()}`;
        await env.DB.prepare('INSERT INTO Account (id, publicKey, createdAt, updatedAt) VALUES (?, ?, 1, 1)')
            .bind(id, encodeHexUpper(keys.publicKey))
            .run();
        expect(payloadOf((await login(await loginBody(keys))).body.token).sub).toBe(id);
    });
});

describe('the token', () => {
    it('is readable by plain atob, and has the keys of privacy-kit in their order', async () => {
        const before = Math.floor(Date.now() / 1000);
        const { body } = await login(await loginBody(await createLoginKeys()));
        const payload = payloadOf(body.token);
        expect(Object.keys(payload)).toEqual(['sub', 'iat', 'nbf', 'iss', 'jti']);
        expect(payload).toMatchObject({ sub: expect.stringMatching(/^\w+$/), iss: 'handy', nbf: payload.iat });
        expect(payload.iat).toBeGreaterThanOrEqual(before);
        expect(payload.iat).toBeLessThanOrEqual(Date.now() / 1000);
    });
});

describe('the tRPC door', () => {
    const client = createClient(server);

    it('logs in to the same account', async () => {
        const keys = await createLoginKeys();
        const { token, success } = await client.auth.login.mutate(await loginBody(keys));
        expect(success).toBe(true);
        const viaRest = await login(await loginBody(keys));
        expect(payloadOf(viaRest.body.token).sub).toBe(payloadOf(token).sub);
        const refreshed = await createClient(server, token).auth.refresh.mutate({});
        expect(payloadOf(refreshed.token).sub).toBe(payloadOf(token).sub);
    });

    it('refuses with the same words', async () => {
        const body = await loginBody(await createLoginKeys());
        const other = await loginBody(await createLoginKeys());
        await expect(client.auth.login.mutate({ ...body, signature: other.signature })).rejects.toMatchObject({
            message: 'Invalid signature',
            data: { code: 'UNAUTHORIZED', httpStatus: 401, error: 'UNAUTHORIZED' },
        });
        await expect(client.auth.login.mutate({ ...body, signature: 'AA==' })).rejects.toMatchObject({
            data: { httpStatus: 400, error: 'VALIDATION_FAILED', issues: [{ path: 'signature' }] },
        });
        await expect(createClient(server, 'no.token.here').auth.refresh.mutate({})).rejects.toMatchObject({
            message: 'Unauthorized',
            data: { httpStatus: 401 },
        });
    });
});
