import { createHash, pbkdf2Sync } from 'node:crypto';

const ITERATIONS = 210_000;

/** Usage strings and the bytes taken of each key, in the order in which they are stored. */
const PARTS = /** @type {const} */ ([
    ['handy Persistent Token', 32],
    ['github-happy Ephemeral Token', 32],
    ['happy-server-tokens', 64],
]);

/**
 * The key the Node server derives for a usage: PBKDF2-HMAC-SHA-512, 210,000 iterations.
 *
 * @param {string} masterSecret taken as the text it is: never trimmed, hex not decoded
 * @param {string} usage
 * @returns {Buffer} 64 bytes
 */
export function deriveSecureKey(masterSecret, usage) {
    return pbkdf2Sync(masterSecret, usage, ITERATIONS, 64, 'sha512');
}

/**
 * The start that keys derived from this master secret carry: `v1.<first 16 hex of SHA-256>.`
 *
 * @param {string} masterSecret used as the text it is
 * @returns {string}
 */
export function derivedKeysPrefix(masterSecret) {
    return `v1.${createHash('sha256').update(masterSecret, 'utf8').digest('hex').slice(0, 16)}.`;
}

/**
 * The value of the secret `HAPPY_DERIVED_KEYS`: `v1.<first 16 hex of SHA-256>.<base64 of 32 + 32 + 64 bytes>`.
 * Derived here because Cloudflare refuses PBKDF2 above 100,000 iterations; the Worker only reads it.
 *
 * @param {string} masterSecret `HAPPY_MASTER_SECRET`, not empty
 * @returns {string}
 */
export function deriveKeys(masterSecret) {
    if (masterSecret === '') throw new TypeError('The master secret is empty');
    const keys = PARTS.map(([usage, length]) => deriveSecureKey(masterSecret, usage).subarray(0, length));
    return `${derivedKeysPrefix(masterSecret)}${Buffer.concat(keys).toString('base64')}`;
}
