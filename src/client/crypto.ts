/**
 * The cryptography of Happy's clients: logging in, pairing, and the encryption of what the server only carries. The server
 * never does any of this. Every function is held against the output of real clients (test/fixtures/vectors/clients.json).
 * Keys and ciphertexts are bytes; what travels in JSON is base64. Nothing here waits or needs a secure context, so it
 * works in any browser and in Node.
 */
import { gcm } from '@noble/ciphers/aes.js';
import nacl from 'tweetnacl';
import { decodeBase64, encodeBase64 } from '@/client/base64';

const KEY_BYTES = 32;
const BOX_NONCE_BYTES = 24;
const GCM_NONCE_BYTES = 12;
const GCM_TAG_BYTES = 16;
const HMAC_BLOCK_BYTES = 128;

/** A leading zero byte marks the versions of a format that have a version at all. */
const VERSION_BYTE = 0;
const VERSION = Uint8Array.of(VERSION_BYTE);

/** A key pair: X25519 for boxes, Ed25519 for signatures. */
export interface KeyPair {
    publicKey: Uint8Array;
    secretKey: Uint8Array;
}

/** Random bytes that a sealed box takes; given only where a test wants the same box twice. */
export interface SealRandomness {
    ephemeralSecretKey: Uint8Array;
    nonce: Uint8Array;
}

/** The Ed25519 key pair that an account logs in with. */
export function signingKey(accountSecret: Uint8Array): KeyPair {
    return nacl.sign.keyPair.fromSeed(accountSecret);
}

/** Body of POST /v1/auth: the challenge signed with the account's Ed25519 key. */
export function authRequest(accountSecret: Uint8Array, challenge: Uint8Array = randomBytes(32)) {
    const { publicKey, secretKey } = signingKey(accountSecret);
    return {
        publicKey: encodeBase64(publicKey),
        challenge: encodeBase64(challenge),
        signature: encodeBase64(nacl.sign.detached(challenge, secretKey)),
    };
}

/** A key of the client's key tree: HMAC-SHA-512 all the way down, the left half is the key, the right half the chain. */
export function deriveKey(master: Uint8Array, usage: string, path: string[]): Uint8Array {
    const root = hmacSha512(utf8(`${usage} Master Seed`), master);
    const leaf = path.reduce((node, name) => hmacSha512(node.subarray(KEY_BYTES), concat([VERSION, utf8(name)])), root);
    return leaf.subarray(0, KEY_BYTES);
}

/** The box key pair that an account's data keys are wrapped to; the app derives it, the terminal gets its public half. */
export function contentKeyPair(accountSecret: Uint8Array): KeyPair {
    return boxKeyPairFromSeed(deriveKey(accountSecret, 'Happy EnCoder', ['content']));
}

/** A box key pair as libsodium makes it of a seed: the secret key is the first half of the seed's SHA-512. */
export function boxKeyPairFromSeed(seed: Uint8Array): KeyPair {
    return nacl.box.keyPair.fromSecretKey(nacl.hash(seed).subarray(0, KEY_BYTES));
}

/** A terminal's pairing keys: the 32 random bytes are the X25519 secret key itself. */
export function terminalKeyPair(secretKey: Uint8Array = randomBytes(KEY_BYTES)): KeyPair {
    return nacl.box.keyPair.fromSecretKey(secretKey);
}

/** Encrypts to a public key from a key of its own: `ephemeral public key ‖ nonce ‖ box`. */
export function seal(plaintext: Uint8Array, recipient: Uint8Array, randomness?: SealRandomness): Uint8Array {
    const ephemeral = nacl.box.keyPair.fromSecretKey(randomness?.ephemeralSecretKey ?? randomBytes(KEY_BYTES));
    const nonce = randomness?.nonce ?? randomBytes(BOX_NONCE_BYTES);
    return concat([ephemeral.publicKey, nonce, nacl.box(plaintext, nonce, recipient, ephemeral.secretKey)]);
}

/** Opens what `seal` made; null when it was made for another key or was changed on the way. */
export function open(bundle: Uint8Array, secretKey: Uint8Array): Uint8Array | null {
    const boxAt = KEY_BYTES + BOX_NONCE_BYTES;
    if (bundle.length < boxAt) return null;
    const nonce = bundle.subarray(KEY_BYTES, boxAt);
    return nacl.box.open(bundle.subarray(boxAt), nonce, bundle.subarray(0, KEY_BYTES), secretKey);
}

/** The answer a phone gives a terminal that speaks version 2: only the content public key, never the account secret. */
export function pairingResponseV2(contentPublicKey: Uint8Array, terminal: Uint8Array, randomness?: SealRandomness) {
    return encodeBase64(seal(concat([VERSION, contentPublicKey]), terminal, randomness));
}

/** The content public key in a version 2 answer; null when it cannot be opened or is none. */
export function openPairingResponseV2(response: string, terminalSecretKey: Uint8Array): Uint8Array | null {
    const plaintext = open(decodeBase64(response) ?? new Uint8Array(), terminalSecretKey);
    return plaintext?.length === KEY_BYTES + 1 && plaintext[0] === VERSION_BYTE ? plaintext.subarray(1) : null;
}

/** `dataEncryptionKey` of a session: its data key, sealed to the account's content public key. */
export function wrapDataKey(dataKey: Uint8Array, contentPublicKey: Uint8Array, randomness?: SealRandomness): string {
    return encodeBase64(concat([VERSION, seal(dataKey, contentPublicKey, randomness)]));
}

/** The data key in `dataEncryptionKey`; null when it is not for this key. */
export function unwrapDataKey(wrapped: string, contentSecretKey: Uint8Array): Uint8Array | null {
    const bytes = decodeBase64(wrapped);
    return bytes?.[0] === VERSION_BYTE ? open(bytes.subarray(1), contentSecretKey) : null;
}

/** JSON under a session's data key: `0x00 ‖ nonce ‖ AES-256-GCM ciphertext ‖ tag`, as base64. */
export function encryptJson(
    value: unknown,
    dataKey: Uint8Array,
    nonce: Uint8Array = randomBytes(GCM_NONCE_BYTES),
): string {
    return encodeBase64(concat([VERSION, nonce, gcm(dataKey, nonce).encrypt(utf8(JSON.stringify(value)))]));
}

/** What `encryptJson` encrypted; null when the key is another or a bit has changed. */
export function decryptJson(encrypted: string, dataKey: Uint8Array): unknown {
    const bytes = decodeBase64(encrypted) ?? new Uint8Array();
    const textAt = VERSION.length + GCM_NONCE_BYTES;
    if (bytes[0] !== VERSION_BYTE || bytes.length < textAt + GCM_TAG_BYTES) return null;
    try {
        const plaintext = gcm(dataKey, bytes.subarray(VERSION.length, textAt)).decrypt(bytes.subarray(textAt));
        return JSON.parse(new TextDecoder().decode(plaintext));
    } catch {
        return null;
    }
}

/** Bytes nobody can guess. */
export function randomBytes(length: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(length));
}

/** RFC 2104 over SHA-512: WebCrypto's own is there in secure contexts only. */
function hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array {
    const block = new Uint8Array(HMAC_BLOCK_BYTES);
    block.set(key.length > HMAC_BLOCK_BYTES ? nacl.hash(key) : key);
    const inner = nacl.hash(concat([block.map((byte) => byte ^ 0x36), data]));
    return nacl.hash(concat([block.map((byte) => byte ^ 0x5c), inner]));
}

function utf8(text: string): Uint8Array {
    return new TextEncoder().encode(text);
}

function concat(parts: Uint8Array[]): Uint8Array {
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}
