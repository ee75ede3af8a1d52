const MAX_BYTES = 255;

/**
 * A file's name as it is kept and offered for saving: the last part of a path, without characters that are invisible,
 * end a header or turn the reading direction, at most 255 bytes with its extension kept. Null when nothing is left.
 */
export function cleanName(raw: string | null | undefined): string | null {
    const last = (raw ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? '';
    const visible = last.replace(/[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '').trim();
    return /^\.*$/.test(visible) ? null : shorten(visible);
}

function shorten(name: string): string {
    if (Buffer.byteLength(name) <= MAX_BYTES) return name;
    const extension = /\.\w{1,16}$/.exec(name)?.[0] ?? '';
    let base = '';
    let bytes = extension.length;
    for (const character of name.slice(0, name.length - extension.length)) {
        bytes += Buffer.byteLength(character);
        if (bytes > MAX_BYTES) break;
        base += character;
    }
    return base + extension;
}
