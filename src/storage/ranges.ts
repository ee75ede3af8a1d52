/** A stretch of a stored object, in bytes. */
export interface ByteRange {
    offset: number;
    length: number;
}

/**
 * What a `Range` header asks of an object of `size` bytes (RFC 9110, 14.1): a stretch, or that there is no such one.
 * Null when the whole is to be sent: no header, another unit, nonsense, or several ranges, which a server need not serve.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
    const [, first, last] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '') ?? [];
    if (first === undefined || last === undefined || (first === '' && last === '')) return null;

    if (first === '') {
        // A suffix longer than the object is the whole object.
        const length = Math.min(Number(last), size);
        return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
    }
    const offset = Number(first);
    const end = last === '' ? Infinity : Number(last);
    if (end < offset) return null;
    return offset >= size ? 'unsatisfiable' : { offset, length: Math.min(end, size - 1) - offset + 1 };
}
