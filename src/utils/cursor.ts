import { ServiceError } from '@/errors';

const PREFIX = 'cursor_v1_';

/** The cursor of a list's next page: names the last row of this one by its id or number (contract 4.2). */
export function encodeCursor(key: string | number): string {
    return `${PREFIX}${key}`;
}

/**
 * The id or number in a cursor.
 * @throws VALIDATION_FAILED for any other text
 */
export function decodeCursor(cursor: string): string {
    const key = cursor.startsWith(PREFIX) ? cursor.slice(PREFIX.length) : '';
    if (!/^[\w-]{1,128}$/.test(key)) throw invalidCursor();
    return key;
}

/** What a caller is told of a cursor that is none, or none of this list. */
export function invalidCursor(): ServiceError {
    return new ServiceError('VALIDATION_FAILED', 'Invalid cursor format');
}
