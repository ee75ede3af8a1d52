import { decodeBase64Url, encodeBase64Url } from '@/crypto/base64';
import { importSigningKey, type SigningKey } from '@/crypto/ed25519';

/** Claims beside the registered ones; they lie flat in the token's payload. */
export type TokenExtras = Readonly<Record<string, unknown>>;

/** What a token says once its signature and times are found good. Times are Unix seconds. */
export interface TokenClaims {
    readonly user: string;
    readonly jti: string;
    readonly extras: TokenExtras;
    readonly issuedAt: number;
    readonly expiresAt?: number;
}

/** What goes into a new token. `issuedAt` is Unix seconds; `jti` a random UUID. */
export interface TokenInput {
    readonly user: string;
    readonly extras?: TokenExtras;
    readonly issuedAt: number;
    readonly jti: string;
}

/** Key and rules of one kind of token. */
export interface TokenCodecOptions {
    /** Ed25519 seed, 32 bytes. */
    readonly seed: Uint8Array;
    /** Issuer, compared exactly. */
    readonly service: string;
    /** Lifetime in seconds. Set for ephemeral tokens only: they carry `exp`, and it is required. */
    readonly ttlSeconds?: number;
}

/** Signs and verifies tokens of one kind. */
export interface TokenCodec {
    /** @throws TypeError on an empty user or jti, a time that is no whole second, reserved extras or too long a token */
    sign(input: TokenInput): Promise<string>;
    /** The claims, or null for anything but a valid token of this kind at `nowMs` (Unix milliseconds). Never throws. */
    verify(token: string, nowMs: number): Promise<TokenClaims | null>;
}

/** Longest token signed or accepted, in characters. */
export const MAX_TOKEN_LENGTH = 4096;

/** Seconds by which the issuer's clock may run ahead of ours. Login tokens only: contract, section 3.2. */
export const CLOCK_TOLERANCE_SECONDS = 5;

const HEADER = encodeBase64Url(new TextEncoder().encode('{"alg":"EdDSA"}'));
const SIGNATURE_BYTES = 64;
const RESERVED_CLAIMS = ['sub', 'iss', 'aud', 'exp', 'nbf', 'iat', 'jti', '__proto__'];

/**
 * The token format of privacy-kit, byte for byte: a compact JWS with the header `{"alg":"EdDSA"}` and the
 * claims `sub`, extras, `iat`, `nbf`, (`exp`,) `iss`, `jti` in this order (contract, section 3.2). Verification
 * is stricter than the original where that costs no token it ever issued: one spelling per token, a
 * non-empty user, `jti` and times present, no audience.
 */
export function createTokenCodec({ seed, service, ttlSeconds }: TokenCodecOptions): TokenCodec {
    let imported: SigningKey | undefined;
    const getKey = async (): Promise<SigningKey> => (imported ??= await importSigningKey(seed));
    // A state token comes back after a detour over GitHub: no clock is that far behind, so no tolerance.
    const tolerance = ttlSeconds === undefined ? CLOCK_TOLERANCE_SECONDS : 0;

    return {
        async sign({ user, extras = {}, issuedAt, jti }) {
            assertSignable(user, extras, issuedAt, jti);
            const expiry = ttlSeconds === undefined ? {} : { exp: issuedAt + ttlSeconds };
            const payload = { sub: user, ...extras, iat: issuedAt, nbf: issuedAt, ...expiry, iss: service, jti };
            const signed = `${HEADER}.${encodeBase64Url(new TextEncoder().encode(JSON.stringify(payload)))}`;
            const key = await getKey();
            const token = `${signed}.${encodeBase64Url(await key.sign(new TextEncoder().encode(signed)))}`;
            if (token.length > MAX_TOKEN_LENGTH) throw new TypeError('The token would be too long');
            return token;
        },
        async verify(token, nowMs) {
            if (token.length > MAX_TOKEN_LENGTH) return null;
            const [header, encodedPayload, encodedSignature, ...rest] = token.split('.');
            // The encoded form is canonical, so comparing it compares the header's text.
            if (header !== HEADER || !encodedPayload || !encodedSignature || rest.length > 0) return null;
            const payload = decodeBase64Url(encodedPayload);
            const signature = decodeBase64Url(encodedSignature);
            if (payload === null || signature?.length !== SIGNATURE_BYTES) return null;

            // Nothing is parsed before the signature is found good: hostile JSON never reaches the parser.
            const key = await getKey();
            const signed = new TextEncoder().encode(`${header}.${encodedPayload}`);
            if (!(await key.verify(signed, signature))) return null;

            const claims = readClaims(parsePayload(payload), service);
            if (claims === null) return null;
            const now = Math.floor(nowMs / 1000);
            const { notBefore, ...answer } = claims;
            const alive = answer.expiresAt === undefined ? ttlSeconds === undefined : now < answer.expiresAt;
            return alive && notBefore <= now + tolerance ? answer : null;
        },
    };
}

interface SignedClaims extends TokenClaims {
    readonly notBefore: number;
}

function readClaims(payload: unknown, service: string): SignedClaims | null {
    if (!isRecord(payload)) return null;
    const { sub, iss, aud, exp, nbf, iat, jti, ...extras } = payload;
    if (iss !== service || aud !== undefined) return null;
    if (!isText(sub) || !isText(jti) || !isSeconds(iat) || !isSeconds(nbf)) return null;
    if (exp !== undefined && !isSeconds(exp)) return null;
    const expiry = exp === undefined ? {} : { expiresAt: exp };
    return { user: sub, jti, extras, issuedAt: iat, notBefore: nbf, ...expiry };
}

function parsePayload(bytes: Uint8Array): unknown {
    try {
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        return JSON.parse(text, refusePrototype);
    } catch {
        return null;
    }
}

// JSON.parse makes `__proto__` an own property, harmless until somebody assigns the extras to another object.
function refusePrototype(key: string, value: unknown): unknown {
    if (key === '__proto__') throw new SyntaxError('Reserved key');
    return value;
}

function assertSignable(user: string, extras: TokenExtras, issuedAt: number, jti: string): void {
    if (!isText(user) || !isText(jti)) throw new TypeError('A token needs a user and a jti');
    if (!isSeconds(issuedAt)) throw new TypeError('A token is issued at a whole Unix second');
    // In privacy-kit an extra called `sub` replaces the user; here a registered name is refused.
    const reserved = RESERVED_CLAIMS.find((name) => Object.hasOwn(extras, name));
    if (reserved !== undefined) throw new TypeError(`Token extras must not contain ${reserved}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
    return typeof value === 'string' && value !== '';
}

function isSeconds(value: unknown): value is number {
    return Number.isSafeInteger(value);
}
