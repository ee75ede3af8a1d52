import { decodeBase64Url } from '@/crypto/base64';
import { createBoundedCache } from '@/crypto/bounded-cache';
import { encodeHex } from '@/crypto/hex';

const PUBLIC_KEY_BYTES = 32;
const SEED_BYTES = 32;
const SIGNATURE_BYTES = 64;

// DER of a PKCS#8 Ed25519 private key up to the seed: WebCrypto imports private keys in no shorter form.
const PKCS8_PREFIX = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

// Every encoding (sign bit cleared) of a point of order 1, 2, 4 or 8. With such a key one signature fits
// every message, so anybody could log in to its account; WebCrypto implementations let them pass.
const SMALL_ORDER_KEYS: ReadonlySet<string> = new Set([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** Most public keys kept imported by `verifySignature`. */
export const MAX_CACHED_PUBLIC_KEYS = 256;

const importedKeys = createBoundedCache<CryptoKey>(MAX_CACHED_PUBLIC_KEYS);

/** An Ed25519 key pair; the seed cannot be read back from it. */
export interface SigningKey {
    /** Raw public key, 32 bytes. */
    readonly publicKey: Uint8Array<ArrayBuffer>;
    /** Detached signature, 64 bytes. */
    sign(message: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
    /** Whether this key signed the message; false for a signature of the wrong length. */
    verify(message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/**
 * Imports the key pair that belongs to a 32-byte seed.
 *
 * @throws RangeError when the seed has another length
 */
export async function importSigningKey(seed: Uint8Array): Promise<SigningKey> {
    if (seed.length !== SEED_BYTES) throw new RangeError('An Ed25519 seed has 32 bytes');
    const pkcs8 = new Uint8Array([...PKCS8_PREFIX, ...seed]);
    const publicKey = await publicKeyOf(pkcs8);
    const [signingKey, verifyingKey] = await Promise.all([
        crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']),
        importPublicKey(publicKey),
    ]);

    return {
        publicKey,
        async sign(message) {
            return new Uint8Array(await crypto.subtle.sign('Ed25519', signingKey, message));
        },
        verify: (message, signature) => verifyWith(verifyingKey, message, signature),
    };
}

/**
 * Whether `signature` (64 bytes) is the owner of `publicKey`'s (32 bytes) over `message`. Wrong lengths
 * and keys of small order give false; nothing throws. Stricter than tweetnacl, as RFC 8032 asks.
 */
export async function verifySignature(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
): Promise<boolean> {
    // workerd throws where Node answers false, so lengths are checked before WebCrypto sees them.
    if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    if (hasSmallOrder(publicKey)) return false;
    return verifyWith(await cachedPublicKey(publicKey), message, signature);
}

async function verifyWith(key: CryptoKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return signature.length === SIGNATURE_BYTES && crypto.subtle.verify('Ed25519', key, signature, message);
}

// Keys are cached, never promises: a promise of one request must not be awaited by another in a Worker.
async function cachedPublicKey(publicKey: Uint8Array): Promise<CryptoKey> {
    const id = encodeHex(publicKey);
    const cached = importedKeys.get(id);
    if (cached) return cached;
    const key = await importPublicKey(publicKey);
    importedKeys.set(id, key);
    return key;
}

function importPublicKey(publicKey: Uint8Array): Promise<CryptoKey> {
    return crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
}

async function publicKeyOf(pkcs8: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const extractable = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
    const jwk = await crypto.subtle.exportKey('jwk', extractable);
    const publicKey = 'x' in jwk && jwk.x !== undefined ? decodeBase64Url(jwk.x) : null;
    if (publicKey === null) throw new Error('WebCrypto exported no Ed25519 public key');
    return publicKey;
}

function hasSmallOrder(publicKey: Uint8Array): boolean {
    const unsigned = publicKey.slice();
    unsigned[PUBLIC_KEY_BYTES - 1] = (publicKey[PUBLIC_KEY_BYTES - 1] ?? 0) & 0x7f;
    return SMALL_ORDER_KEYS.has(encodeHex(unsigned));
}
