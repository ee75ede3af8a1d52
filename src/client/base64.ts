/** Standard padded base64, as every binary field travels; in browsers too, where there is no Buffer. */
export function encodeBase64(bytes: Uint8Array): string {
    let binary = '';
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return btoa(binary);
}

/** The bytes of standard or URL-safe base64, padded or not; null when the text is neither. */
export function decodeBase64(text: string): Uint8Array | null {
    try {
        return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
    } catch {
        return null;
    }
}

/** URL-safe base64 without padding, as pairing links have it. */
export function encodeBase64Url(bytes: Uint8Array): string {
    return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
