import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '@/crypto/base64';
import { importSigningKey, MAX_CACHED_PUBLIC_KEYS, verifySignature } from '@/crypto/ed25519';
import { encodeHexUpper } from '@/crypto/hex';
import clients from '@test/fixtures/vectors/clients.json';
import { fromHex, groups } from '@test/fixtures/vectors/privacy-kit';

interface LoginBody {
    readonly publicKey: string;
    readonly challenge: string;
    readonly signature: string;
}

/** What a login does with its body: everything must be base64 before the signature is looked at. */
async function verifyBody(body: LoginBody): Promise<boolean> {
    const publicKey = decodeBase64(body.publicKey);
    const challenge = decodeBase64(body.challenge);
    const signature = decodeBase64(body.signature);
    return publicKey !== null && challenge !== null && signature !== null
        ? verifySignature(publicKey, challenge, signature)
        : false;
}

describe('logins of real clients', () => {
    it.each(clients.groups.authChallenge.cases)('vector authChallenge $challengeHex', async (vector) => {
        const key = await importSigningKey(fromHex(vector.secretHex));
        const challenge = fromHex(vector.challengeHex);
        expect(encodeBase64(key.publicKey)).toBe(vector.requestBody.publicKey);
        expect(encodeHexUpper(key.publicKey)).toBe(vector.accountPublicKeyHexUpper);
        expect(encodeBase64(await key.sign(challenge))).toBe(vector.requestBody.signature);
        expect(await verifyBody(vector.requestBody)).toBe(true);
    });

    const verifyCases = clients.groups.authVerify.cases;

    it.each(verifyCases.filter(({ level }) => level === 'must'))('vector authVerify $name', async (vector) => {
        expect(await verifyBody(vector.requestBody)).toBe(vector.reference === 'accept');
    });

    // Spellings no client sends, a malleated signature, a key that belongs to everybody: all refused.
    it.each(verifyCases.filter(({ level }) => level === 'may'))(
        'vector authVerify, stricter: $name',
        async (vector) => {
            expect(await verifyBody(vector.requestBody)).toBe(false);
        },
    );
});

describe('verifySignature', () => {
    const lengths = [0, 1, 31, 32, 33, 63, 64, 65, 1000];

    it('is false, never an error, for wrong lengths', async () => {
        for (const keyLength of lengths) {
            for (const signatureLength of lengths) {
                const verdict = verifySignature(
                    new Uint8Array(keyLength).fill(7),
                    new Uint8Array(3),
                    new Uint8Array(signatureLength).fill(7),
                );
                await expect(verdict).resolves.toBe(false);
            }
        }
    });

    it('is false, never an error, for keys that are no point of the curve', async () => {
        for (const fill of [2, 5, 0x7f, 255]) {
            const verdict = verifySignature(new Uint8Array(32).fill(fill), new Uint8Array(3), new Uint8Array(64));
            await expect(verdict).resolves.toBe(false);
        }
    });

    it.each([
        '0000000000000000000000000000000000000000000000000000000000000000',
        '0100000000000000000000000000000000000000000000000000000000000000',
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
        'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
        'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ])('refuses the key of small order %s with either sign', async (hex) => {
        // R = identity, S = 0 satisfies the equation whenever the hash is a multiple of the key's order.
        const signature = new Uint8Array(64);
        signature[0] = 1;
        for (const sign of [0, 0x80]) {
            const publicKey = fromHex(hex);
            publicKey[31]! |= sign;
            for (let message = 0; message < 32; message++) {
                expect(await verifySignature(publicKey, Uint8Array.of(message), signature)).toBe(false);
            }
        }
    });

    it('stays right when more keys are seen than it remembers', async () => {
        const message = new TextEncoder().encode('message');
        const seeds = Array.from({ length: MAX_CACHED_PUBLIC_KEYS + 10 }, (_, index) => {
            const seed = new Uint8Array(32);
            new DataView(seed.buffer).setUint32(0, index);
            return seed;
        });
        const keys = await Promise.all(seeds.map(importSigningKey));
        const signatures = await Promise.all(keys.map((key) => key.sign(message)));
        for (const round of [0, 1]) {
            for (const [index, key] of keys.entries()) {
                expect(await verifySignature(key.publicKey, message, signatures[index]!)).toBe(true);
                const foreign = signatures[(index + 1 + round) % signatures.length]!;
                expect(await verifySignature(key.publicKey, message, foreign)).toBe(false);
            }
        }
    });
});

describe('importSigningKey', () => {
    it.each(groups.tokenKeys.cases)('vector tokenKeys, public key of $kind $secret $service', async (vector) => {
        const { publicKey } = await importSigningKey(fromHex(vector.ed25519SeedHex));
        expect(publicKey).toEqual(fromHex(vector.publicKeyHex));
    });

    it.each([0, 31, 33, 64])('refuses a seed of %i bytes', async (length) => {
        await expect(importSigningKey(new Uint8Array(length))).rejects.toThrow(RangeError);
    });

    it('verifies its own signatures only', async () => {
        const mine = await importSigningKey(new Uint8Array(32).fill(1));
        const other = await importSigningKey(new Uint8Array(32).fill(2));
        const message = new TextEncoder().encode('message');
        const signature = await mine.sign(message);
        expect(await mine.verify(message, signature)).toBe(true);
        expect(await other.verify(message, signature)).toBe(false);
        expect(await mine.verify(new TextEncoder().encode('massage'), signature)).toBe(false);
        expect(await mine.verify(message, signature.slice(1))).toBe(false);
    });
});
