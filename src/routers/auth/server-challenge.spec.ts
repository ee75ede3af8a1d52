import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '@/crypto/base64';
import type { LoginKeys } from '@test/helpers/account';
import { call, createLoginKeys, loginBody } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import type { TestServer } from '@test/helpers/server';
import { startServer } from '@test/helpers/server';

const strict = startServer({ REQUIRE_SERVER_CHALLENGE: 'true' });
const lenient = startServer();
const clock = holdClock();
const CHALLENGE_MS = 5 * 60_000;

async function fetchChallenge(server: TestServer, keys: LoginKeys): Promise<Uint8Array<ArrayBuffer>> {
    const { body } = await call(server, 'POST', '/v1/auth/challenge', { publicKey: encodeBase64(keys.publicKey) });
    return decodeBase64(body.challenge) ?? new Uint8Array();
}

async function logIn(server: TestServer, keys: LoginKeys, challenge?: Uint8Array<ArrayBuffer>): Promise<number> {
    const { status, body } = await call(server, 'POST', '/v1/auth', await loginBody(keys, challenge));
    if (status !== 200) expect(body).toMatchObject({ error: 'Invalid signature', code: 'UNAUTHORIZED' });
    return status;
}

describe('POST /v1/auth/challenge', () => {
    it('answers a challenge and when it expires, without the database', async () => {
        const { publicKey } = await createLoginKeys();
        const { status, body } = await call(strict, 'POST', '/v1/auth/challenge', {
            publicKey: encodeBase64(publicKey),
        });
        expect(status).toBe(200);
        expect(body).toEqual({ challenge: expect.any(String), expiresAt: Date.now() + CHALLENGE_MS });
        expect(strict.db.roundTrips).toBe(0);
    });

    it.each([encodeBase64(new Uint8Array(31)), encodeBase64(new Uint8Array(33)), 'not base64', undefined])(
        '400 for the key %j',
        async (publicKey) => {
            expect(await call(strict, 'POST', '/v1/auth/challenge', { publicKey })).toMatchObject({
                status: 400,
                body: { code: 'VALIDATION_FAILED', issues: [{ path: 'publicKey' }] },
            });
        },
    );
});

describe('REQUIRE_SERVER_CHALLENGE=true', () => {
    it('logs in with a challenge of the server, up to its last millisecond', async () => {
        const keys = await createLoginKeys();
        const [early, late] = [await fetchChallenge(strict, keys), await fetchChallenge(strict, keys)];
        expect(await logIn(strict, keys, early)).toBe(200);
        clock.advance(CHALLENGE_MS - 1);
        expect(await logIn(strict, keys, late)).toBe(200);
    });

    it('takes one from another isolate: it is stateless', async () => {
        const keys = await createLoginKeys();
        expect(await logIn(strict, keys, await fetchChallenge(lenient, keys))).toBe(200);
    });

    it('refuses challenges that clients make themselves', async () => {
        const keys = await createLoginKeys();
        expect(await logIn(strict, keys)).toBe(401);
        const alike = await fetchChallenge(strict, keys);
        alike[alike.length - 1]! ^= 1;
        expect(await logIn(strict, keys, alike)).toBe(401);
    });

    it('refuses an expired one', async () => {
        const keys = await createLoginKeys();
        const challenge = await fetchChallenge(strict, keys);
        clock.advance(CHALLENGE_MS);
        // Trying does not spend it either.
        for (let i = 0; i < 2; i++) expect(await logIn(strict, keys, challenge)).toBe(401);
    });

    it('takes one again for 10 minutes after it was used in time, though it has expired meanwhile', async () => {
        const keys = await createLoginKeys();
        const challenge = await fetchChallenge(strict, keys);
        clock.advance(CHALLENGE_MS - 1);
        expect(await logIn(strict, keys, challenge)).toBe(200);
        clock.advance(2 * CHALLENGE_MS - 1);
        expect(await logIn(strict, keys, challenge)).toBe(200);
        clock.advance(1);
        expect(await logIn(strict, keys, challenge)).toBe(401);
    });

    it('refuses one made for another key', async () => {
        const [mine, theirs] = [await createLoginKeys(), await createLoginKeys()];
        expect(await logIn(strict, mine, await fetchChallenge(strict, theirs))).toBe(401);
    });
});

describe('without it', () => {
    it('stock clients log in with challenges of their own, others with ours', async () => {
        const keys = await createLoginKeys();
        expect(await logIn(lenient, keys)).toBe(200);
        expect(await logIn(lenient, keys, await fetchChallenge(lenient, keys))).toBe(200);
    });
});
