import { encodeBase64Url } from '@/crypto/base64';

/**
 * The name under which ElevenLabs knows an account: `u_` and the base64url of HMAC-SHA-256 over the account
 * id, keyed with the raw master secret as the Node server does it (contract, section 13, Keys). The master
 * secret must not be empty.
 */
export async function deriveElevenLabsUserId(masterSecret: string, userId: string): Promise<string> {
    const encoder = new TextEncoder();
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', encoder.encode(masterSecret), algorithm, false, ['sign']);
    const tag = await crypto.subtle.sign('HMAC', key, encoder.encode(userId));
    return `u_${encodeBase64Url(new Uint8Array(tag))}`;
}
