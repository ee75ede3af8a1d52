import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '@/crypto/base64';
import type { Answer } from '@test/helpers/account';
import { call, createAccount, createLoginKeys, loginBody } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const LIMIT = 3;
/** The real limiter of the runtime, with a limit that a test can reach. */
const AUTH_LIMITER = {
    limit: (options: RateLimitOptions) => env.AUTH_LIMITER.limit({ ...options, limit: LIMIT } as RateLimitOptions),
};
const server = startServer({ AUTH_LIMITER });
const publicKey = encodeBase64(new Uint8Array(32));

let addresses = 0;
/** Headers of a caller whose address nobody used before. */
function newAddress(): Record<string, string> {
    addresses += 1;
    return { 'CF-Connecting-IP': `2001:db8::${addresses.toString(16)}` };
}

/** Calls until the limiter refuses: past the limit, or past twice that when its minute turns in between. */
async function callUntilRefused(method: string, path: string, body: () => Promise<unknown>): Promise<Answer> {
    const headers = newAddress();
    for (let i = 0; i <= 2 * LIMIT; i++) {
        const { roundTrips } = server.db;
        const answer = await call(server, method, path, await body(), headers);
        if (answer.status === 429) {
            expect(i).toBeGreaterThanOrEqual(LIMIT);
            expect(server.db.roundTrips).toBe(roundTrips);
            return answer;
        }
        expect(answer.status).toBe(200);
    }
    throw new Error('The limiter never refused');
}

describe('the limit of an address', () => {
    it.each<[string, string, () => Promise<unknown>]>([
        ['POST', '/v1/auth', async () => loginBody(await createLoginKeys())],
        ['POST', '/v1/auth/challenge', async () => ({ publicKey })],
        ['POST', '/v1/auth/request', async () => ({ publicKey })],
        ['GET', `/v1/auth/request/status?publicKey=${encodeURIComponent(publicKey)}`, async () => undefined],
        ['POST', '/v1/auth/account/request', async () => ({ publicKey })],
    ])('%s %s: 429 past it, before the database is asked', async (method, path, body) => {
        const answer = await callUntilRefused(method, path, body);
        expect(answer.body).toEqual({ error: expect.any(String), code: 'RATE_LIMITED', requestId: expect.any(String) });
        expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    });

    it('says so on the tRPC door, where each call of a batch counts', async () => {
        const client = createClient(server, undefined, newAddress());
        const calls = Array.from({ length: 2 * LIMIT + 1 }, () => client.auth.challenge.mutate({ publicKey }));
        const answers = await Promise.allSettled(calls);
        const refused = answers.filter((answer) => answer.status === 'rejected');
        expect(answers.slice(0, LIMIT).map(({ status }) => status)).toEqual(Array(LIMIT).fill('fulfilled'));
        expect(refused.length).toBeGreaterThan(0);
        for (const { reason } of refused) {
            expect(reason).toMatchObject({
                data: { code: 'TOO_MANY_REQUESTS', httpStatus: 429, error: 'RATE_LIMITED' },
            });
        }
    });

    it('is its own: another address is served', async () => {
        const body = async () => ({ publicKey });
        await callUntilRefused('POST', '/v1/auth/challenge', body);
        expect((await call(server, 'POST', '/v1/auth/challenge', await body(), newAddress())).status).toBe(200);
    });

    it('does not hold for what needs a token', async () => {
        const { token } = await createAccount(startServer());
        const headers = { ...newAddress(), Authorization: `Bearer ${token}` };
        for (let i = 0; i <= 2 * LIMIT; i++) {
            expect((await call(server, 'POST', '/v1/auth/refresh', undefined, headers)).status).toBe(200);
        }
    });
});
