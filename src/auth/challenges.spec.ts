import { describe, expect, it } from 'vitest';
import { CHALLENGE_TTL_MS, challengeExpiry, createChallenge } from '@/auth/challenges';
import { decodeBase64 } from '@/crypto/base64';

const KEY_TREE = new Uint8Array(64).fill(1);
const PUBLIC_KEY = new Uint8Array(32).fill(2);
const NOW = 1_790_000_000_000;

async function bytesOf(challenge: string): Promise<Uint8Array> {
    const bytes = decodeBase64(challenge);
    if (!bytes) throw new Error('A challenge is base64');
    return bytes;
}

async function made(): Promise<Uint8Array> {
    return bytesOf((await createChallenge(KEY_TREE, PUBLIC_KEY, NOW)).challenge);
}

describe('server challenges', () => {
    it('are of a size that a login takes, each a new one, for 5 minutes', async () => {
        const [one, two] = [
            await createChallenge(KEY_TREE, PUBLIC_KEY, NOW),
            await createChallenge(KEY_TREE, PUBLIC_KEY, NOW),
        ];
        const { length } = await bytesOf(one.challenge);
        expect(length).toBeGreaterThanOrEqual(16);
        expect(length).toBeLessThanOrEqual(1024);
        expect(one.expiresAt).toBe(NOW + 5 * 60_000);
        expect(one.challenge).not.toBe(two.challenge);
    });

    it('say when they expire, at any place in a buffer', async () => {
        const challenge = await made();
        const within = new Uint8Array(challenge.length + 10);
        within.set(challenge, 7);
        for (const bytes of [challenge, within.subarray(7, 7 + challenge.length)])
            expect(await challengeExpiry(KEY_TREE, PUBLIC_KEY, bytes)).toBe(NOW + CHALLENGE_TTL_MS);
    });

    it('hold for their public key and their server only', async () => {
        const challenge = await made();
        expect(await challengeExpiry(KEY_TREE, new Uint8Array(32).fill(3), challenge)).toBeNull();
        expect(await challengeExpiry(new Uint8Array(64).fill(4), PUBLIC_KEY, challenge)).toBeNull();
    });

    it('hold no more with any byte changed, the expiry included', async () => {
        const challenge = await made();
        for (const index of challenge.keys()) {
            const changed = challenge.slice();
            changed[index]! ^= 1;
            expect(await challengeExpiry(KEY_TREE, PUBLIC_KEY, changed), `byte ${index}`).toBeNull();
        }
    });

    it('are refused, never an error, with any other length', async () => {
        const challenge = await made();
        for (const length of [0, 1, 8, 24, 25, challenge.length - 1, challenge.length + 1, 1024]) {
            const other = new Uint8Array(length);
            other.set(challenge.subarray(0, length));
            expect(await challengeExpiry(KEY_TREE, PUBLIC_KEY, other)).toBeNull();
        }
    });
});
