// Runs in plain Node, where the keys are derived: 210,000 PBKDF2 iterations are more than a Worker may do.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseDerivedKeys } from '@/crypto/derived-keys';
import { importSigningKey } from '@/crypto/ed25519';
import { encodeBase64Url } from '@/crypto/base64';
import {
    fromHex,
    furtherSecureKeys,
    groups,
    keyTree,
    masterSecret,
    tokenSeed,
} from '@test/fixtures/vectors/privacy-kit';
import { deriveKeys, deriveSecureKey } from '../../scripts/lib/derive-keys.mjs';

const derivedOnce = new Map<string, Buffer>();

/** `deriveSecureKey`, once for each key: 0.1 s of CPU time apiece. */
function secureKey(secret: string, usage: string): Buffer {
    const id = JSON.stringify([secret, usage]);
    const key = derivedOnce.get(id) ?? deriveSecureKey(masterSecret(secret), usage);
    derivedOnce.set(id, key);
    return key;
}

describe('deriveSecureKey', () => {
    it.each([...groups.deriveSecureKey.cases, ...furtherSecureKeys])(
        'vector deriveSecureKey $secret "$usage"',
        ({ secret, usage, outputHex }) => {
            expect(secureKey(secret, usage).toString('hex')).toBe(outputHex);
        },
    );
});

describe('token keys', () => {
    it.each(groups.tokenKeys.cases)('vector tokenKeys $kind $secret $service', async (vector) => {
        const suffix = vector.kind === 'persistent' ? ' Persistent Token' : ' Ephemeral Token';
        const seed = secureKey(vector.secret, vector.service + suffix).subarray(0, 32);
        expect(seed.toString('hex')).toBe(vector.ed25519SeedHex);
        const { publicKey } = await importSigningKey(seed);
        expect(publicKey).toEqual(fromHex(vector.publicKeyHex));
        expect(encodeBase64Url(publicKey)).toBe(vector.publicKeyBase64url);
    });
});

describe('deriveKeys', () => {
    it.each(['short', 'shortNewline', 'unicode', 'long200'])(
        'gives the Worker the keys of master secret %s',
        async (name) => {
            const secret = masterSecret(name);
            const derived = deriveKeys(secret);
            expect(derived.slice(3, 19)).toBe(createHash('sha256').update(secret).digest('hex').slice(0, 16));
            await expect(parseDerivedKeys(derived, secret)).resolves.toEqual({
                loginSeed: tokenSeed('persistent', name, 'handy'),
                githubStateSeed: tokenSeed('ephemeral', name, 'github-happy'),
                keyTree: keyTree(name),
            });
        },
    );

    it('refuses an empty master secret', () => {
        expect(() => deriveKeys('')).toThrow(TypeError);
    });
});
