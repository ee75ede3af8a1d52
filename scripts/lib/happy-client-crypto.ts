/**
 * The cryptography of Happy's own clients, as far as it takes to play a phone and a terminal against a server: the
 * server never does any of this. Every function is held against the output of real clients
 * (test/fixtures/vectors/clients.json). Keys and ciphertexts are bytes; what travels in JSON is base64.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import nacl from 'tweetnacl';

const KEY_BYTES = 32;
const BOX_NONCE_BYTES = 24;
const GCM_NONCE_BYTES = 12;
const GCM_TAG_BYTES = 16;

/** A leading zero byte marks the versions of a format that have a version at all. */
const VERSION = Uint8Array.of(0);

interface KeyPair {
    publicKey: Uint8Array;
    secretKey: Uint8Array;
}

/** Random bytes that a sealed box takes; given only where a test wants the same box twice. */
interface SealRandomness {
    ephemeralSecretKey: Uint8Array;
    nonce: Uint8Array;
}

/** Body of POST /v1/auth: the challenge signed with the account's Ed25519 key. */
export function authRequest(accountSecret: Uint8Array, challenge: Uint8Array = randomBytes(32)) {
    const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(accountSecret);
    return {
        publicKey: base64(publicKey),
        challenge: base64(challenge),
        signature: base64(nacl.sign.detached(challenge, secretKey)),
    };
}

/** A key of the client's key tree: HMAC-SHA-512 all the way down, the left half is the key, the right half the chain. */
export function deriveKey(master: Uint8Array, usage: string, path: string[]): Uint8Array {
    const root = hmacSha512(`${usage} Master Seed`, master);
    const leaf = path.reduce(
        (node, name) => hmacSha512(node.subarray(KEY_BYTES), Buffer.concat([VERSION, Buffer.from(name)])),
        root,
    );
    return leaf.subarray(0, KEY_BYTES);
}

/** The box key pair that an account's data keys are wrapped to; the app derives it, the terminal gets its public half. */
export function contentKeyPair(accountSecret: Uint8Array): KeyPair {
    return boxKeyPairFromSeed(deriveKey(accountSecret, 'Happy EnCoder', ['content']));
}

/** A box key pair as libsodium makes it of a seed: the secret key is the first half of the seed's SHA-512. */
export function boxKeyPairFromSeed(seed: Uint8Array): KeyPair {
    return nacl.box.keyPair.fromSecretKey(createHash('sha512').update(seed).digest().subarray(0, KEY_BYTES));
}

/** A terminal's pairing keys: the 32 random bytes are the X25519 secret key itself. */
export function terminalKeyPair(secretKey: Uint8Array = randomBytes(KEY_BYTES)): KeyPair {
    return nacl.box.keyPair.fromSecretKey(secretKey);
}

/** Encrypts to a public key from a key of its own: `ephemeral public key ‖ nonce ‖ box`. */
export function seal(plaintext: Uint8Array, recipient: Uint8Array, randomness?: SealRandomness): Uint8Array {
    const ephemeral = nacl.box.keyPair.fromSecretKey(randomness?.ephemeralSecretKey ?? randomBytes(KEY_BYTES));
    const nonce = randomness?.nonce ?? randomBytes(BOX_NONCE_BYTES);
    return Buffer.concat([ephemeral.publicKey, nonce, nacl.box(plaintext, nonce, recipient, ephemeral.secretKey)]);
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
    return base64(seal(Buffer.concat([VERSION, contentPublicKey]), terminal, randomness));
}

/** The content public key in a version 2 answer; null when it cannot be opened or is none. */
export function openPairingResponseV2(response: string, terminalSecretKey: Uint8Array): Uint8Array | null {
    const plaintext = open(Buffer.from(response, 'base64'), terminalSecretKey);
    return plaintext?.length === KEY_BYTES + 1 && plaintext[0] === VERSION[0] ? plaintext.subarray(1) : null;
}

/** `dataEncryptionKey` of a session: its data key, sealed to the account's content public key. */
export function wrapDataKey(dataKey: Uint8Array, contentPublicKey: Uint8Array, randomness?: SealRandomness): string {
    return base64(Buffer.concat([VERSION, seal(dataKey, contentPublicKey, randomness)]));
}

/** The data key in `dataEncryptionKey`; null when it is not for this key. */
export function unwrapDataKey(wrapped: string, contentSecretKey: Uint8Array): Uint8Array | null {
    const bytes = Buffer.from(wrapped, 'base64');
    return bytes[0] === VERSION[0] ? open(bytes.subarray(1), contentSecretKey) : null;
}

/** JSON under a session's data key: `0x00 ‖ nonce ‖ AES-256-GCM ciphertext ‖ tag`, as base64. */
export function encryptJson(value: unknown, dataKey: Uint8Array, nonce: Uint8Array = randomBytes(GCM_NONCE_BYTES)) {
    const cipher = createCipheriv('aes-256-gcm', dataKey, nonce);
    const ciphertext = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return base64(Buffer.concat([VERSION, nonce, ciphertext, cipher.getAuthTag()]));
}

/** What `encryptJson` encrypted; null when the key is another or a bit has changed. */
export function decryptJson(encrypted: string, dataKey: Uint8Array): unknown {
    const bytes = Buffer.from(encrypted, 'base64');
    const tagAt = bytes.length - GCM_TAG_BYTES;
    const textAt = VERSION.length + GCM_NONCE_BYTES;
    if (bytes[0] !== VERSION[0] || tagAt < textAt) return null;
    const decipher = createDecipheriv('aes-256-gcm', dataKey, bytes.subarray(VERSION.length, textAt));
    decipher.setAuthTag(bytes.subarray(tagAt));
    try {
        const text = Buffer.concat([decipher.update(bytes.subarray(textAt, tagAt)), decipher.final()]);
        return JSON.parse(text.toString('utf8'));
    } catch {
        return null;
    }
}

/** Standard padded base64, as every binary field travels. */
export function base64(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString('base64');
}

function hmacSha512(key: string | Uint8Array, data: Uint8Array): Buffer {
    return createHmac('sha512', key).update(data).digest();
}
