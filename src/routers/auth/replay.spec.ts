import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { encodeHexUpper } from '@/crypto/hex';
import { call, createLoginKeys, loginBody, payloadOf } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';

const server = startServer();
const clock = holdClock();
const login = (body: unknown) => call(server, 'POST', '/v1/auth', body);
const RETRY_MS = 10 * 60_000;

async function countAccounts(publicKey: Uint8Array): Promise<number | null> {
    const count = env.DB.prepare('SELECT count(*) AS n FROM Account WHERE publicKey = ?');
    return count.bind(encodeHexUpper(publicKey)).first<number>('n');
}

describe('a signed challenge', () => {
    it('works again for 10 minutes, for a client that lost the answer, then never', async () => {
        const body = await loginBody(await createLoginKeys());
        const first = await login(body);
        clock.advance(RETRY_MS - 1);
        const again = await login(body);
        expect([first.status, again.status]).toEqual([200, 200]);
        expect(payloadOf(again.body.token).sub).toBe(payloadOf(first.body.token).sub);
        for (const ms of [1, 60_000, 365 * 86_400_000]) {
            clock.advance(ms);
            expect(await login(body)).toMatchObject({
                status: 401,
                body: { error: 'Invalid signature', code: 'UNAUTHORIZED' },
            });
        }
    });

    it('spends no other of its key', async () => {
        const keys = await createLoginKeys();
        for (let i = 0; i < 3; i++) {
            expect((await login(await loginBody(keys))).status).toBe(200);
            clock.advance(RETRY_MS);
        }
    });

    it('is not kept fresh by being used again', async () => {
        const body = await loginBody(await createLoginKeys());
        for (let i = 0; i < 3; i++) {
            expect((await login(body)).status).toBe(200);
            clock.advance(RETRY_MS / 3);
        }
        expect((await login(body)).status).toBe(401);
    });

    it('makes no account when it comes too late', async () => {
        const keys = await createLoginKeys();
        const body = await loginBody(keys);
        await login(body);
        await env.DB.prepare('DELETE FROM Account WHERE publicKey = ?').bind(encodeHexUpper(keys.publicKey)).run();
        clock.advance(RETRY_MS);
        expect((await login(body)).status).toBe(401);
        expect(await countAccounts(keys.publicKey)).toBe(0);
    });

    // Two valid signatures of one key over one challenge: real signers are deterministic, the formula is not.
    const twice = {
        publicKey: 'a+Kdnzzlo0R0/GHi4duQJN2ISY9uhtCPJMK6qMnlDgs=',
        challenge: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
        signatures: [
            'uHdkLy/g2CrSenTbhV/G1xDqrRfVSGfXWymlduUpZTE4aM9GS1031KOZkbGlk03lcZJ77/NZHVD36Y5oOLGIAw==',
            'N/ABht3QlMmxoKSVurc8wG5nc5uR5AFg2E0PmKSAxiIBZzi2Xn9tbVL2HK52QFFt+7JJJGSNyNHJCxMprdAFDg==',
        ],
    };

    it('is spent also for another signature over it', async () => {
        const { publicKey, challenge, signatures } = twice;
        expect((await login({ publicKey, challenge, signature: signatures[0] })).status).toBe(200);
        clock.advance(RETRY_MS);
        for (const signature of signatures) {
            expect((await login({ publicKey, challenge, signature })).status).toBe(401);
        }
        // The second one is good in itself: once the challenge is forgotten it logs in.
        await env.DB.prepare('DELETE FROM UsedChallenge').run();
        expect((await login({ publicKey, challenge, signature: signatures[1] })).status).toBe(200);
    });

    it('is not spent by a bad signature, nor by the same challenge of another key', async () => {
        const challenge = crypto.getRandomValues(new Uint8Array(32));
        const [mine, theirs] = [await createLoginKeys(), await createLoginKeys()];
        const [body, other] = [await loginBody(mine, challenge), await loginBody(theirs, challenge)];
        expect((await login({ ...body, signature: other.signature })).status).toBe(401);
        expect((await login(other)).status).toBe(200);
        clock.advance(RETRY_MS);
        expect((await login(body)).status).toBe(200);
    });

    it('logs in to one account under 20 parallel retries', async () => {
        const keys = await createLoginKeys();
        const body = await loginBody(keys);
        const answers = await Promise.all(Array.from({ length: 20 }, () => login(body)));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
        expect(await countAccounts(keys.publicKey)).toBe(1);
    });
});

describe('P9: a transient database error', () => {
    it.each(['before', 'after'] as const)('%s the login was stored: 503, and the retry logs in', async (when) => {
        const keys = await createLoginKeys();
        const body = await loginBody(keys);
        const log = vi.spyOn(console, 'error').mockImplementation(() => {});
        server.db.failNext(when);
        const failed = await login(body);
        expect(log).toHaveBeenCalledOnce();
        expect(String(log.mock.calls[0])).not.toContain(body.publicKey);
        log.mockRestore();
        expect(failed).toMatchObject({ status: 503, body: { code: 'SERVICE_UNAVAILABLE' } });
        expect(failed.headers.get('Retry-After')).not.toBeNull();
        expect(await countAccounts(keys.publicKey)).toBe(when === 'before' ? 0 : 1);
        expect((await login(body)).status).toBe(200);
        expect(await countAccounts(keys.publicKey)).toBe(1);
    });
});
