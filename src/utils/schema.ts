import * as z from 'zod';
import { decodeBase64 } from '@/crypto/base64';

/** A text as D1 and JSON can both hold it: well-formed UTF-16 without NUL, of at most `max` UTF-16 units. */
export function shortText(max: number, min = 0) {
    return z
        .string()
        .min(min)
        .max(max)
        .refine((value) => isStorable(value), 'Must not contain NUL or lone surrogates');
}

/** A text as D1 and JSON can both hold it, of at most `maxBytes` of UTF-8 (contract 4). */
export function text(maxBytes: number, minBytes = 0) {
    return shortText(maxBytes, minBytes).refine(
        (value) => Buffer.byteLength(value) <= maxBytes,
        `Must be at most ${maxBytes} bytes of UTF-8`,
    );
}

/** An id in a path or body, ours or the client's own: 1 to 128 bytes. */
export const Id = text(128, 1);

/** Encrypted text, opaque to the server: at most 1,000,000 bytes (contract 4). */
export const EncryptedText = text(1_000_000);

/** Most bytes of the two encrypted texts of a session or machine together: a row ends at 2 MB (contract 4). */
export const TOGETHER_BYTES = 1_500_000;

/** The key a session, machine or artifact is encrypted with, wrapped for its owner. */
export const DataEncryptionKey = base64({ max: 1024 });

/** Standard padded base64 in, bytes out. */
export function base64({ min = 0, max }: { min?: number; max: number }) {
    return z
        .string()
        .min(Math.ceil(min / 3) * 4)
        .max(Math.ceil(max / 3) * 4)
        .meta({ contentEncoding: 'base64', description: `Base64 of ${min === max ? max : `${min} to ${max}`} bytes` })
        .transform((value, ctx) => {
            const bytes = decodeBase64(value);
            if (!bytes) {
                ctx.addIssue({ code: 'custom', message: 'Must be standard padded base64' });
                return z.NEVER;
            }
            if (bytes.length < min || bytes.length > max) {
                ctx.addIssue({ code: 'custom', message: `Must be ${min === max ? max : `${min} to ${max}`} bytes` });
                return z.NEVER;
            }
            return bytes;
        });
}

/** Page size: 1 to `max`, `fallback` when absent. */
export function pageSize(max: number, fallback: number) {
    return z
        .int()
        .min(1)
        .max(max)
        .meta({ default: fallback })
        .nullish()
        .transform((value) => value ?? fallback);
}

/** Unix milliseconds. */
export const Time = z.int().nonnegative();

/** Levels of nesting that stored JSON may have: SQLite's JSON functions refuse whatever goes past 1,000. */
export const MAX_JSON_DEPTH = 500;

/** Any JSON value that can be stored as text: at most `maxBytes` of UTF-8, well-formed, not nested without end. */
export function json(maxBytes: number) {
    const message = `Must be JSON of at most ${maxBytes} bytes and ${MAX_JSON_DEPTH} levels, without NUL or lone surrogates`;
    return z.unknown().refine(
        (value) => {
            const stored =
                value === undefined || isDeeperThan(MAX_JSON_DEPTH, value) ? undefined : JSON.stringify(value);
            return stored !== undefined && Buffer.byteLength(stored) <= maxBytes && !BAD_ESCAPE.test(stored);
        },
        // Further checks may write the value as JSON too, which fails where it is nested without end.
        { message, abort: true },
    );
}

/** JSON.stringify writes exactly NUL and lone surrogates as these escapes; an escaped backslash before `u` is none. */
const BAD_ESCAPE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Whether a parsed JSON value is nested deeper. */
export function isDeeperThan(levels: number, value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function isStorable(value: string): boolean {
    return !value.includes('\0') && value.isWellFormed();
}
