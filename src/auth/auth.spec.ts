import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Actor, Auth, TokenFacts } from '@/auth/auth';
import { initAuth } from '@/auth/auth';
import { loadConfig } from '@/env';
import { payloadOf } from '@test/helpers/account';

const MINUTE = 60_000;

/** An `Auth` on a clock of its own, and a lookup that says yes and remembers what it was asked. */
async function setUp() {
    const clock = { now: 1_790_000_000_000 };
    const auth = initAuth(await loadConfig({ ...env }), () => clock.now);
    const asked: TokenFacts[] = [];
    const yes = async (token: TokenFacts) => {
        asked.push(token);
        return true;
    };
    return { auth, clock, asked, yes };
}

/** A lookup that answers when the test says so. */
function heldLookup() {
    const began = Promise.withResolvers<void>();
    const held = Promise.withResolvers<boolean>();
    const lookup = () => {
        began.resolve();
        return held.promise;
    };
    return { lookup, started: began.promise, answer: held.resolve };
}

describe('createToken', () => {
    it('issues a token dated with the whole second, extras between sub and iat', async () => {
        const { auth, clock } = await setUp();
        clock.now = 1_790_000_000_999;
        const token = await auth.createToken('account', { session: 'request' });
        expect(JSON.stringify(payloadOf(token))).toMatch(
            /^\{"sub":"account","session":"request","iat":1790000000,"nbf":1790000000,"iss":"handy","jti":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"\}$/,
        );
        expect(atob(token.split('.')[0]!)).toBe('{"alg":"EdDSA"}');
    });

    it('dates it later when a logout-all asks for that, never earlier', async () => {
        const { auth } = await setUp();
        expect(payloadOf(await auth.createToken('account', undefined, 1_790_000_003)).nbf).toBe(1_790_000_003);
        expect(payloadOf(await auth.createToken('account', undefined, 1_000)).nbf).toBe(1_790_000_000);
    });

    it('gives every token an id of its own', async () => {
        const { auth } = await setUp();
        const ids = [await auth.createToken('account'), await auth.createToken('account')].map((t) => payloadOf(t).jti);
        expect(ids[0]).not.toBe(ids[1]);
    });
});

describe('verifyToken', () => {
    it('tells who is calling and asks the lookup about that token', async () => {
        const { auth, asked, yes } = await setUp();
        const token = await auth.createToken('account', { session: 'request' });
        const { jti } = payloadOf(token);
        expect(await auth.verifyToken(token, yes)).toEqual({
            accountId: 'account',
            tokenId: jti,
            issuedAt: 1_790_000_000,
            token,
            extras: { session: 'request' },
        } satisfies Actor);
        expect(asked).toEqual([{ accountId: 'account', tokenId: jti, issuedAt: 1_790_000_000 }]);
    });

    it('never asks about a token that is none of ours', async () => {
        const { auth, asked, yes } = await setUp();
        const token = await auth.createToken('account');
        const [header, payload, signature] = token.split('.');
        const forged = btoa(JSON.stringify({ ...payloadOf(token), sub: 'other' })).replaceAll('=', '');
        const foreignKeys = { ...(await loadConfig({ ...env })).keys, loginSeed: new Uint8Array(32).fill(1) };
        const foreign = initAuth({ ...(await loadConfig({ ...env })), keys: foreignKeys }, () => 1_790_000_000_000);
        const bad = [
            '',
            'token',
            `${header}.${forged}.${signature}`,
            `${header}.${payload}`,
            await foreign.createToken('account'),
        ];
        for (const text of bad) expect(await auth.verifyToken(text, yes)).toBeNull();
        expect(asked).toEqual([]);
        expect(auth.getCacheStats().size).toBe(0);
    });

    it('remembers a verified token for less than 60 s', async () => {
        const { auth, clock, asked, yes } = await setUp();
        const token = await auth.createToken('account');
        const actor = await auth.verifyToken(token, yes);
        clock.now += MINUTE - 1;
        expect(await auth.verifyToken(token, yes)).toEqual(actor);
        expect(asked).toHaveLength(1);
        clock.now += 1;
        expect(await auth.verifyToken(token, yes)).toEqual(actor);
        expect(asked).toHaveLength(2);
    });

    it('counts the 60 s from the start of the lookup, whose answer may be as old', async () => {
        const { auth, clock, asked, yes } = await setUp();
        const token = await auth.createToken('account');
        await auth.verifyToken(token, async (facts) => {
            clock.now += MINUTE / 2;
            return yes(facts);
        });
        clock.now += MINUTE / 2;
        await auth.verifyToken(token, yes);
        expect(asked).toHaveLength(2);
    });

    it('remembers no refusal and no failure', async () => {
        const { auth, yes } = await setUp();
        const token = await auth.createToken('account');
        expect(await auth.verifyToken(token, async () => false)).toBeNull();
        await expect(auth.verifyToken(token, () => Promise.reject(new Error('D1 is away')))).rejects.toThrow('D1');
        expect(auth.getCacheStats().size).toBe(0);
        expect(await auth.verifyToken(token, yes)).not.toBeNull();
    });
});

describe('the cache', () => {
    it('is bounded, and forgets the oldest token first', async () => {
        const { auth, asked, yes } = await setUp();
        const { maxSize, ttlMs } = auth.getCacheStats();
        expect({ maxSize, ttlMs }).toEqual({ maxSize: 10_000, ttlMs: MINUTE });
        const tokens = await Promise.all(
            Array.from({ length: maxSize + 1 }, (_, i) => auth.createToken(`account ${i}`)),
        );
        for (const [i, token] of tokens.entries()) {
            await auth.verifyToken(token, yes);
            expect(auth.getCacheStats().size).toBe(Math.min(i + 1, maxSize));
        }
        asked.length = 0;
        await auth.verifyToken(tokens[maxSize]!, yes);
        await auth.verifyToken(tokens[1]!, yes);
        expect(asked).toHaveLength(0);
        await auth.verifyToken(tokens[0]!, yes);
        expect(asked).toHaveLength(1);
    });

    it('belongs to one configuration', async () => {
        const [config, other] = [await loadConfig({ ...env }), await loadConfig({ ...env })];
        expect(initAuth(config)).toBe(initAuth(config));
        expect(initAuth(config)).not.toBe(initAuth(other));
    });
});

describe('invalidation', () => {
    it('invalidateToken forgets that token only', async () => {
        const { auth, asked, yes } = await setUp();
        const [one, two] = [await auth.createToken('account'), await auth.createToken('account')];
        for (const token of [one, two]) await auth.verifyToken(token, yes);
        auth.invalidateToken(one);
        expect(auth.getCacheStats().size).toBe(1);
        asked.length = 0;
        await auth.verifyToken(two, yes);
        expect(asked).toHaveLength(0);
        expect(await auth.verifyToken(one, async () => false)).toBeNull();
    });

    it("invalidateUserTokens forgets all of an account's tokens and nobody else's", async () => {
        const { auth, asked, yes } = await setUp();
        const tokens = [
            await auth.createToken('mine'),
            await auth.createToken('mine'),
            await auth.createToken('theirs'),
        ];
        for (const token of tokens) await auth.verifyToken(token, yes);
        auth.invalidateUserTokens('mine');
        expect(auth.getCacheStats().size).toBe(1);
        asked.length = 0;
        for (const token of tokens) await auth.verifyToken(token, yes);
        expect(asked.map(({ accountId }) => accountId)).toEqual(['mine', 'mine']);
    });

    const invalidations: [string, (auth: Auth, token: string) => void][] = [
        ['invalidateToken', (auth, token) => auth.invalidateToken(token)],
        ['invalidateUserTokens', (auth) => auth.invalidateUserTokens('account')],
    ];

    it.each(invalidations)('%s during a lookup: its answer, read before, is not remembered', async (_, invalidate) => {
        const { auth, asked, yes } = await setUp();
        const token = await auth.createToken('account');
        const { lookup, started, answer } = heldLookup();
        const verified = auth.verifyToken(token, lookup);
        await started;
        invalidate(auth, token);
        answer(true);
        expect(await verified).not.toBeNull();
        expect(auth.getCacheStats().size).toBe(0);
        await auth.verifyToken(token, yes);
        expect(asked).toHaveLength(1);
    });
});
