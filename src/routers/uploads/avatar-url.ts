import type { ServiceContext } from '@/context';
import { decodeBase64Url, encodeBase64Url } from '@/crypto/base64';
import { hmacKey } from '@/crypto/kdf';

const LABEL = 'avatar url';

const keys = new WeakMap<Uint8Array, Promise<CryptoKey>>();

/**
 * Where an avatar can be fetched without a token, by friends and image tags (contract 13, Shapes). The same for as long
 * as the picture is the account's, so that caches can keep it; a replaced picture's address is dead.
 */
export async function avatarUrl(ctx: ServiceContext, id: string): Promise<string> {
    const signature = await crypto.subtle.sign('HMAC', await signingKey(ctx), message(id));
    return `${ctx.origin}/v1/avatars/${id}?sig=${encodeBase64Url(new Uint8Array(signature))}`;
}

/** True for a signature that `avatarUrl` made for this id. */
export async function isAvatarSignature(ctx: ServiceContext, id: string, signature: string): Promise<boolean> {
    const bytes = decodeBase64Url(signature);
    return bytes !== null && crypto.subtle.verify('HMAC', await signingKey(ctx), new Uint8Array(bytes), message(id));
}

function signingKey({ config }: ServiceContext): Promise<CryptoKey> {
    const { keyTree } = config.keys;
    const known = keys.get(keyTree);
    if (known) return known;
    const key = hmacKey(keyTree, LABEL);
    keys.set(keyTree, key);
    return key;
}

function message(id: string): Uint8Array<ArrayBuffer> {
    return new Uint8Array(new TextEncoder().encode(id));
}
