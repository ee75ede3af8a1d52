import { EncryptedText, json } from '@/utils/schema';

/** Most bytes of a text, or of other content as JSON (contract 4). */
const CONTENT_BYTES = 1_000_000;

/** Most bytes of the JSON that is stored: a D1 row holds 2 MB, and a text of quotes or line ends doubles as JSON. */
const STORED_BYTES = 1_900_000;

/** Content of an encrypted message, as v3 stores and lists it. */
export interface EncryptedContent {
    t: 'encrypted';
    c: string;
}

/** The content that is stored for an encrypted text. */
export function encryptedContent(text: string): EncryptedContent {
    return { t: 'encrypted', c: text };
}

/** Whether content is what v3 stores and lists, and nothing besides (contract 7.6). */
export function isEncrypted(value: unknown): value is EncryptedContent {
    if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
    const { t, c } = value as Partial<EncryptedContent>;
    return t === 'encrypted' && typeof c === 'string';
}

/** An encrypted text to be stored as a message's content. */
export const MessageText = EncryptedText.refine(
    // An escape takes 6 bytes at most, so texts of ordinary length need no measuring.
    (text) => text.length * 6 < STORED_BYTES || bytesOf(encryptedContent(text)) <= STORED_BYTES,
    `Must be at most ${STORED_BYTES} bytes as JSON`,
);

/**
 * Any JSON to be stored as a message's content. A text counts alone, without quotes and the envelope that v3 puts around
 * it: what one door takes, the other takes too.
 */
export const MessageContent = json(STORED_BYTES).refine((value) => {
    const text = isEncrypted(value) ? value.c : value;
    return (typeof text === 'string' ? Buffer.byteLength(text) : bytesOf(text)) <= CONTENT_BYTES;
}, `Must be at most ${CONTENT_BYTES} bytes`);

function bytesOf(value: unknown): number {
    return Buffer.byteLength(JSON.stringify(value));
}
