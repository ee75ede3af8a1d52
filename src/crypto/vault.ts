import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { DecryptionError } from '@/crypto/decryption-error';
import { createKeyDeriver } from '@/crypto/kdf';
import { decryptNodeTreeString, NODE_FORMAT_VERSION } from '@/crypto/node-key-tree';

const KEY_TREE_BYTES = 64;
const VAULT_FORMAT_VERSION = 0x01;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** Encrypts what the server itself must be able to read again: vendor and GitHub tokens. */
export interface Vault {
    /** Bytes to store: 0x01, nonce (24), secretbox. The path is part of the key, so a value opens only where it was put. */
    encryptString(path: readonly string[], text: string): Promise<Uint8Array<ArrayBuffer>>;
    /**
     * The text stored under the path, by this server or by the Node server.
     *
     * @throws DecryptionError when the bytes are of no known format, damaged, or of another path or key tree
     */
    decryptString(path: readonly string[], bytes: Uint8Array): Promise<string>;
}

const vaults = new WeakMap<Uint8Array, Vault>();

/** The vault of a key tree, one per isolate: it holds the derived keys. */
export function initVault(keyTree: Uint8Array): Vault {
    let vault = vaults.get(keyTree);
    if (!vault) {
        vault = createVault(keyTree);
        vaults.set(keyTree, vault);
    }
    return vault;
}

/**
 * Encryption at rest by NaCl's secretbox (XSalsa20-Poly1305, here of a library a quarter of TweetNaCl's size) over the 64-byte key tree, for paths like `['user', id, 'vendors', vendor, 'token']`
 * (contract, section 3.3). Make one per key tree and keep it: it caches the keys it derives.
 *
 * @throws RangeError when the key tree has another length
 */
export function createVault(keyTree: Uint8Array): Vault {
    if (keyTree.length !== KEY_TREE_BYTES) throw new RangeError('A key tree has 64 bytes');
    const keys = createKeyDeriver(keyTree);

    return {
        async encryptString(path, text) {
            const key = await keys.derive(path);
            const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
            const box = xsalsa20poly1305(key, nonce).encrypt(new TextEncoder().encode(text));
            const stored = new Uint8Array(1 + NONCE_BYTES + box.length);
            stored[0] = VAULT_FORMAT_VERSION;
            stored.set(nonce, 1);
            stored.set(box, 1 + NONCE_BYTES);
            return stored;
        },
        async decryptString(path, bytes) {
            if (bytes[0] === NODE_FORMAT_VERSION) return decryptNodeTreeString(keyTree, path, bytes);
            if (bytes[0] !== VAULT_FORMAT_VERSION) throw new DecryptionError('unknown format');
            if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES) {
                throw new DecryptionError('authentication failed');
            }
            const nonce = bytes.slice(1, 1 + NONCE_BYTES);
            const opened = open(await keys.derive(path), nonce, bytes.slice(1 + NONCE_BYTES));
            return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(opened);
        },
    };
}

function open(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): Uint8Array {
    try {
        return xsalsa20poly1305(key, nonce).decrypt(box);
    } catch {
        throw new DecryptionError('authentication failed');
    }
}
