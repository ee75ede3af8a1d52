import { decodeBase64 } from '@/crypto/base64';
import { encodeHex } from '@/crypto/hex';

/** The keys made from the master secret ahead of time (contract, section 3.1). */
export interface DerivedKeys {
    /** Ed25519 seed of login tokens, 32 bytes. */
    readonly loginSeed: Uint8Array<ArrayBuffer>;
    /** Ed25519 seed of GitHub OAuth state tokens, 32 bytes. */
    readonly githubStateSeed: Uint8Array<ArrayBuffer>;
    /** Root of everything encrypted or authenticated by the server itself, 64 bytes. */
    readonly keyTree: Uint8Array<ArrayBuffer>;
}

/** What is wrong with a derived-keys text. */
export type DerivedKeysProblem = 'malformed' | 'other-master-secret';

const MESSAGES: Readonly<Record<DerivedKeysProblem, string>> = {
    malformed: 'Derived keys are malformed: expected v1.<16 hex digits>.<base64 of 128 bytes>',
    'other-master-secret': 'Derived keys were made from another master secret',
};

/** Thrown by `parseDerivedKeys`; its message never contains key material. */
export class DerivedKeysError extends Error {
    override readonly name = 'DerivedKeysError';

    constructor(readonly problem: DerivedKeysProblem) {
        super(MESSAGES[problem]);
    }
}

/**
 * Reads `v1.<first 16 hex of SHA-256 of the master secret>.<base64 of 32 + 32 + 64 bytes>`.
 * The derivation itself needs more PBKDF2 iterations than Cloudflare allows, so it happens in
 * Node (`scripts/lib/derive-keys.mjs`) and the Worker only checks that the keys belong to its secret.
 *
 * @throws DerivedKeysError naming the problem
 */
export async function parseDerivedKeys(derived: string, masterSecret: string): Promise<DerivedKeys> {
    const [, fingerprint, base64] = /^v1\.([0-9a-f]{16})\.([A-Za-z0-9+/]+={0,2})$/.exec(derived) ?? [];
    const bytes = base64 === undefined ? null : decodeBase64(base64);
    if (bytes?.length !== 128) throw new DerivedKeysError('malformed');
    if (fingerprint !== (await fingerprintOf(masterSecret))) throw new DerivedKeysError('other-master-secret');

    return {
        loginSeed: bytes.slice(0, 32),
        githubStateSeed: bytes.slice(32, 64),
        keyTree: bytes.slice(64),
    };
}

async function fingerprintOf(masterSecret: string): Promise<string> {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(masterSecret));
    return encodeHex(new Uint8Array(digest)).slice(0, 16);
}
