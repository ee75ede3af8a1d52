import { DecryptionError } from '@/crypto/decryption-error';

const NONCE_BYTES = 12;
const AES_LEAF = '#aes256';

/** First byte of everything the Node server encrypted. */
export const NODE_FORMAT_VERSION = 0x00;

/**
 * The AES-256 key the Node server uses for a path: a chain of HMAC-SHA-512 steps from the key tree.
 *
 * @throws RangeError when a path element starts with `#`, which the tree keeps for itself
 */
export async function deriveNodeTreeKey(
    keyTree: Uint8Array,
    path: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
    if (path.some((element) => element.startsWith('#'))) throw new RangeError('Path element cannot start with #');
    let chainCode = keyTree;
    for (const element of path) chainCode = (await deriveChild(chainCode, element)).slice(32);
    return (await deriveChild(chainCode, AES_LEAF)).slice(0, 32);
}

/**
 * Opens what the Node server stored: 0x00, nonce (12), AES-256-GCM ciphertext, tag (16). Read only, so that a
 * migrated database keeps working (contract, section 3.3).
 *
 * @throws DecryptionError when the version or the tag is wrong
 */
export async function decryptNodeTreeString(
    keyTree: Uint8Array,
    path: readonly string[],
    stored: Uint8Array,
): Promise<string> {
    if (stored[0] !== NODE_FORMAT_VERSION) throw new DecryptionError('unknown format');
    const rawKey = await deriveNodeTreeKey(keyTree, path);
    const key = await crypto.subtle.importKey('raw', rawKey, 'AES-GCM', false, ['decrypt']);
    const iv = stored.slice(1, 1 + NONCE_BYTES);
    try {
        // Too short a nonce or tag makes WebCrypto throw as well.
        const text = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, stored.slice(1 + NONCE_BYTES));
        // The original decodes like this: a leading byte order mark goes, bad UTF-8 becomes U+FFFD.
        return new TextDecoder().decode(text);
    } catch {
        throw new DecryptionError('authentication failed');
    }
}

async function deriveChild(chainCode: Uint8Array, index: string): Promise<Uint8Array<ArrayBuffer>> {
    const algorithm = { name: 'HMAC', hash: 'SHA-512' };
    const key = await crypto.subtle.importKey('raw', chainCode, algorithm, false, ['sign']);
    const data = new TextEncoder().encode(`\0${index}`);
    return new Uint8Array(await crypto.subtle.sign('HMAC', key, data));
}
