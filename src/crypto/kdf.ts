import { createBoundedCache } from '@/crypto/bounded-cache';

/** Most derived keys one deriver remembers (contract, section 3.3). */
export const MAX_CACHED_KEYS = 1000;

/** Derives symmetric keys from the key tree by path. */
export interface KeyDeriver {
    /** The 32-byte key of a path. Paths are lists: `['a', 'b/c']` and `['a/b', 'c']` give different keys. */
    derive(path: readonly string[]): Promise<Uint8Array<ArrayBuffer>>;
    /** How many keys are remembered now, at most `MAX_CACHED_KEYS`. */
    cachedKeys(): number;
}

/** HKDF-SHA-256 over the 64-byte key tree, with a bounded cache of its own (contract, section 3.3). */
export function createKeyDeriver(keyTree: Uint8Array): KeyDeriver {
    const cache = createBoundedCache<Uint8Array<ArrayBuffer>>(MAX_CACHED_KEYS);
    let root: CryptoKey | undefined;

    return {
        async derive(path) {
            const id = JSON.stringify(path);
            const cached = cache.get(id);
            if (cached) return cached.slice();
            root ??= await importRoot(keyTree);
            const key = new Uint8Array(await crypto.subtle.deriveBits(hkdf('vault', path), root, 256));
            cache.set(id, key);
            return key.slice();
        },
        cachedKeys: () => cache.size,
    };
}

/**
 * The HMAC-SHA-256 key of a purpose (tickets, server challenges, signed URLs), for `crypto.subtle.sign` and
 * `crypto.subtle.verify`; the latter compares in constant time. Keys of different labels, and keys of the
 * vault, have nothing in common (contract, section 13, Keys). Not cached: keep the key.
 */
export async function hmacKey(keyTree: Uint8Array, label: string): Promise<CryptoKey> {
    const algorithm = { name: 'HMAC', hash: 'SHA-256', length: 256 };
    return crypto.subtle.deriveKey(hkdf('hmac', [label]), await importRoot(keyTree), algorithm, false, [
        'sign',
        'verify',
    ]);
}

/** Whether two secrets are equal, in a time that tells nothing about where they differ. */
export async function constantTimeEqual(a: string | Uint8Array, b: string | Uint8Array): Promise<boolean> {
    const key = await crypto.subtle.importKey(
        'raw',
        crypto.getRandomValues(new Uint8Array(32)),
        { name: 'HMAC', hash: 'SHA-256' },
        false,
        ['sign', 'verify'],
    );
    const tag = await crypto.subtle.sign('HMAC', key, toBytes(a));
    return crypto.subtle.verify('HMAC', key, tag, toBytes(b));
}

function importRoot(keyTree: Uint8Array): Promise<CryptoKey> {
    return crypto.subtle.importKey('raw', keyTree, 'HKDF', false, ['deriveBits', 'deriveKey']);
}

function hkdf(purpose: string, path: readonly string[]) {
    const info = encodeContext(['happy-server', purpose, ...path]);
    return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info };
}

// Each element is its length in four bytes, then its UTF-8: no two lists give the same bytes.
function encodeContext(elements: readonly string[]): Uint8Array<ArrayBuffer> {
    return new Uint8Array(
        elements.flatMap((element) => {
            const bytes = toBytes(element);
            const length = bytes.length;
            return [length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255, ...bytes];
        }),
    );
}

function toBytes(value: string | Uint8Array): Uint8Array {
    return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}
