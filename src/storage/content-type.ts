import { ServiceError } from '@/errors';

/** Pictures that browsers show and that run nothing. SVG is not among them: it can carry scripts. */
export const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const;

export const documentTypes = ['application/pdf', 'text/plain', 'application/json', 'text/markdown'] as const;

/** A type of file that this server stores. */
export type FileType = (typeof imageTypes)[number] | (typeof documentTypes)[number];

/** File name extensions, without the dot. */
export const extensions: Record<FileType, string> = {
    'image/jpeg': 'jpg',
    'image/png': 'png',
    'image/gif': 'gif',
    'image/webp': 'webp',
    'application/pdf': 'pdf',
    'text/plain': 'txt',
    'application/json': 'json',
    'text/markdown': 'md',
};

/** What a client says about a file's type. */
export interface TypeHints {
    /** Its `Content-Type`. */
    declared: string | null;
    /** Its name, whose extension tells texts apart. */
    name: string | null;
}

/** True for one of the four raster images. */
export function isImage(type: string): boolean {
    return imageTypes.some((image) => image === type);
}

/**
 * The type of a file, from its first bytes (`whole` when they are all it has). What a client declares never makes a
 * file something that its bytes are not; it only tells plain text, JSON and Markdown apart.
 * @throws VALIDATION_FAILED for a type that is not stored, and when the bytes are not of the declared type
 */
export function detectType(head: Uint8Array, whole: boolean, { declared, name }: TypeHints): FileType {
    const wanted = normalize(declared);
    const magic = MAGIC.find(([pattern]) => pattern.test(latin1(head.subarray(0, 16))))?.[1];
    const found = magic ?? detectText(head, whole, wanted, name);
    if (!found) throw refusal(wanted ?? 'unknown');
    if (!isStored(found)) throw refusal(found);
    if (wanted !== null && wanted !== found) {
        if (!isStored(wanted)) throw refusal(wanted);
        throw new ServiceError('VALIDATION_FAILED', `The file is not ${wanted}`, [
            { path: 'file', message: `Its content is ${found}` },
        ]);
    }
    return found;
}

const MAGIC: [RegExp, FileType][] = [
    [/^\xff\xd8\xff/, 'image/jpeg'],
    [/^\x89PNG\r\n[^]\n/, 'image/png'],
    [/^GIF8[79]a/, 'image/gif'],
    [/^RIFF[^]{4}WEBP/, 'image/webp'],
    [/^%PDF-\d/, 'application/pdf'],
];

const ALIASES: Record<string, FileType> = {
    'image/jpg': 'image/jpeg',
    'image/pjpeg': 'image/jpeg',
    'image/x-png': 'image/png',
    'application/x-pdf': 'application/pdf',
    'text/x-markdown': 'text/markdown',
    'text/json': 'application/json',
};

/** What programs send that know no type; the last is curl's own idea of any body. */
const UNDECLARED = new Set([
    '',
    'application/octet-stream',
    'binary/octet-stream',
    'application/x-www-form-urlencoded',
]);

/** The declared type without its parameters; null where the client knows none. */
function normalize(declared: string | null): string | null {
    const type = declared?.split(';')[0]?.trim().toLowerCase() ?? '';
    return UNDECLARED.has(type) ? null : (ALIASES[type] ?? type);
}

/** Text has no signature: it is what decodes as UTF-8, has no control characters, and is no page or drawing. */
function detectText(head: Uint8Array, whole: boolean, wanted: string | null, name: string | null): string | null {
    const text = decodeText(head, whole);
    if (text === null) return null;
    const active = ACTIVE.exec(text)?.[1]?.toLowerCase();
    if (active !== undefined) return active === 'svg' ? 'image/svg+xml' : 'text/html';

    const type = wanted ?? typeByName(name);
    if (type === 'application/json' && !JSON_START.test(text)) return wanted === null ? 'text/plain' : null;
    return type === 'application/json' || type === 'text/markdown' ? type : 'text/plain';
}

/** Starts like a document that a browser would run: after a byte order mark, a prolog, comments or a doctype. */
const ACTIVE =
    /^\uFEFF?(?:\s+|<\?[^>]*>|<!--[^]*?-->|<!doctype\s(?!\s*html)[^>]*>)*<(?:!doctype\s+)?(?:\w+:)?(svg|html)\b/i;

const JSON_START = /^\uFEFF?\s*(?:["{[\d-]|true|false|null)/;

function typeByName(name: string | null): FileType | null {
    const extension = /\.(\w+)$/.exec(name ?? '')?.[1]?.toLowerCase();
    if (extension === 'json') return 'application/json';
    return extension === 'md' || extension === 'markdown' ? 'text/markdown' : null;
}

function decodeText(head: Uint8Array, whole: boolean): string | null {
    try {
        // A character may be cut at the end of the first bytes, but not at the end of the file.
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(head, { stream: !whole });
        return CONTROL.test(text) ? null : text;
    } catch {
        return null;
    }
}

/** All that no text has; tab, line ends, form feed, backspace and escape (terminal colours) it may have. */
// oxlint-disable-next-line no-control-regex -- it is about control characters
const CONTROL = /[\x00-\x07\x0e-\x1a\x1c-\x1f]/;

function isStored(type: string): type is FileType {
    return Object.hasOwn(extensions, type);
}

function latin1(bytes: Uint8Array): string {
    return String.fromCharCode(...bytes);
}

function refusal(type: string): ServiceError {
    return new ServiceError('VALIDATION_FAILED', 'File type not allowed', [
        { path: 'file', message: `Files of type ${type.slice(0, 100)} are not stored` },
    ]);
}
