import { encodeBase64 } from '@/crypto/base64';
import { hmacKey } from '@/crypto/kdf';

/** How long a server challenge may be answered, in ms (contract 4.1). */
export const CHALLENGE_TTL_MS = 5 * 60_000;

const NONCE_BYTES = 16;
const HEADER_BYTES = 1 + 8 + NONCE_BYTES;
const MAC_BYTES = 32;
const VERSION = 1;
const LABEL = 'login challenge';

/**
 * A stateless challenge: version ‖ expiry (8 bytes) ‖ nonce ‖ HMAC over these and the public key, as base64.
 * Only the key it was made for can answer it, and only until `expiresAt` (Unix ms).
 */
export async function createChallenge(
    keyTree: Uint8Array,
    publicKey: Uint8Array,
    now: number,
): Promise<{ challenge: string; expiresAt: number }> {
    const expiresAt = now + CHALLENGE_TTL_MS;
    const bytes = new Uint8Array(HEADER_BYTES + MAC_BYTES);
    bytes[0] = VERSION;
    new DataView(bytes.buffer).setBigUint64(1, BigInt(expiresAt));
    crypto.getRandomValues(bytes.subarray(9, HEADER_BYTES));
    const key = await hmacKey(keyTree, LABEL);
    const mac = await crypto.subtle.sign('HMAC', key, signedPart(bytes, publicKey));
    bytes.set(new Uint8Array(mac), HEADER_BYTES);
    return { challenge: encodeBase64(bytes), expiresAt };
}

/** Until when a challenge of this server, made for this key, may be answered (Unix ms); null for any other. */
export async function challengeExpiry(
    keyTree: Uint8Array,
    publicKey: Uint8Array,
    challenge: Uint8Array,
): Promise<number | null> {
    if (challenge.length !== HEADER_BYTES + MAC_BYTES || challenge[0] !== VERSION) return null;
    const key = await hmacKey(keyTree, LABEL);
    const mac = new Uint8Array(challenge.subarray(HEADER_BYTES));
    if (!(await crypto.subtle.verify('HMAC', key, mac, signedPart(challenge, publicKey)))) return null;
    return Number(new DataView(challenge.buffer, challenge.byteOffset).getBigUint64(1));
}

function signedPart(challenge: Uint8Array, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
    const part = new Uint8Array(HEADER_BYTES + publicKey.length);
    part.set(challenge.subarray(0, HEADER_BYTES));
    part.set(publicKey, HEADER_BYTES);
    return part;
}
