import { Buffer } from 'node:buffer';

/** Standard base64 with padding: how binary fields travel (contract, section 2). */
export function encodeBase64(bytes: Uint8Array): string {
    return view(bytes).toString('base64');
}

/**
 * Bytes of canonical standard base64 with padding, or null when the text is anything else:
 * other alphabet, white space, missing or surplus padding, unused bits that are not zero.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
    return decodeCanonical(text, 'base64');
}

/** Base64url without padding, as compact JWS uses it (contract, section 3.2). */
export function encodeBase64Url(bytes: Uint8Array): string {
    return view(bytes).toString('base64url');
}

/** Bytes of canonical base64url without padding, or null when the text is anything else. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
    return decodeCanonical(text, 'base64url');
}

// Buffer decodes whatever it is given; only the one canonical spelling survives the way back.
function decodeCanonical(text: string, encoding: 'base64' | 'base64url'): Uint8Array<ArrayBuffer> | null {
    const decoded = Buffer.from(text, encoding);
    return decoded.toString(encoding) === text ? new Uint8Array(decoded) : null;
}

function view(bytes: Uint8Array): Buffer {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
