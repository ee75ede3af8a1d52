// Cloudflare refuses PBKDF2 above 100,000 iterations in production, but not locally: without this spec a
// Worker that derives its own keys would pass every test and fail when deployed (contract, section 3.1).
import { afterEach, expect, it, vi } from 'vitest';
import { decodeBase64, encodeBase64 } from '@/crypto/base64';
import { parseDerivedKeys } from '@/crypto/derived-keys';
import { importSigningKey, verifySignature } from '@/crypto/ed25519';
import { deriveElevenLabsUserId } from '@/crypto/eleven-labs-user-id';
import { constantTimeEqual, createKeyDeriver, hmacKey } from '@/crypto/kdf';
import { createTokenCodec } from '@/crypto/privacy-kit-token';
import { createVault } from '@/crypto/vault';
import { fromHex, groups, keyTree, tokenSeed } from '@test/fixtures/vectors/privacy-kit';

const MASTER_SECRET = 'test-master-secret';
const MAX_ITERATIONS = 100_000;

afterEach(() => {
    vi.restoreAllMocks();
});

/** The PBKDF2 iterations asked of WebCrypto, and the algorithms of all derivations, while `run` runs. */
async function watchDerivations(run: () => Promise<unknown>) {
    const spies = [vi.spyOn(crypto.subtle, 'deriveBits'), vi.spyOn(crypto.subtle, 'deriveKey')];
    await run();
    const algorithms = spies.flatMap((spy) => spy.mock.calls.map(([algorithm]) => Object(algorithm) as Derivation));
    return {
        names: algorithms.map(({ name }) => name),
        iterations: algorithms.map(({ iterations = 0 }) => iterations),
    };
}

interface Derivation {
    readonly name: string;
    readonly iterations?: number;
}

async function runEverything(): Promise<void> {
    const tree = keyTree('short');
    const derived = `v1.649a001f4aef7ccd.${encodeBase64(new Uint8Array(128).fill(1))}`;
    const keys = await parseDerivedKeys(derived, MASTER_SECRET);
    const key = await importSigningKey(keys.loginSeed);
    await verifySignature(key.publicKey, new Uint8Array(1), await key.sign(new Uint8Array(1)));
    for (const ttlSeconds of [undefined, 300]) {
        const codec = createTokenCodec({
            seed: tokenSeed('persistent', 'short', 'handy'),
            service: 'handy',
            ttlSeconds,
        });
        const token = await codec.sign({ user: 'user', issuedAt: 1, jti: 'id' });
        expect(await codec.verify(token, 1000)).not.toBeNull();
    }
    await createKeyDeriver(tree).derive(['a']);
    await hmacKey(tree, 'ticket');
    await constantTimeEqual('a', 'b');
    await deriveElevenLabsUserId(MASTER_SECRET, 'user');
    const vault = createVault(tree);
    await vault.decryptString(['a'], await vault.encryptString(['a'], 'text'));
    const stored = groups.symmetricEncryptExact.cases[0]!;
    const bytes = decodeBase64(stored.ciphertextBase64) ?? fromHex('');
    await createVault(keyTree(stored.secret)).decryptString(stored.path, bytes);
}

it('nothing asks WebCrypto for PBKDF2', async () => {
    const { names, iterations } = await watchDerivations(runEverything);
    expect(names).toContain('HKDF');
    expect(names).not.toContain('PBKDF2');
    expect(Math.max(...iterations)).toBeLessThanOrEqual(MAX_ITERATIONS);
});

it('control: the watch sees what Cloudflare would refuse', async () => {
    const { iterations } = await watchDerivations(async () => {
        const base = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
        const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: MAX_ITERATIONS + 1 };
        await crypto.subtle.deriveBits(algorithm, base, 256);
    });
    expect(iterations).toEqual([MAX_ITERATIONS + 1]);
});
