const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARS = 16;

/**
 * A new id: `c`, the time in base 36 (8 characters), 16 random characters; 25 in all, like the Node server's cuids.
 * Sorts by the millisecond it was made in, which keeps index inserts together.
 */
export function createId(now: number = Date.now()): string {
    const random = crypto.getRandomValues(new Uint8Array(RANDOM_CHARS * 2));
    let id = `c${Math.max(0, Math.floor(now)).toString(36).padStart(8, '0')}`;
    // Values of 252 and up would favour the first four characters; two bytes per character leave spares.
    let used = 0;
    for (const byte of random) {
        if (used === RANDOM_CHARS) break;
        if (byte < 252) {
            id += ALPHABET[byte % 36];
            used += 1;
        }
    }
    return id.padEnd(25, '0');
}
