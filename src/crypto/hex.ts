import { Buffer } from 'node:buffer';

/** Upper-case hex: the form in which public keys are stored (contract, section 4.1). */
export function encodeHexUpper(bytes: Uint8Array): string {
    return encodeHex(bytes).toUpperCase();
}

/** Lower-case hex. */
export function encodeHex(bytes: Uint8Array): string {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
