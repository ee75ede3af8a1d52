import { invalidCursor } from '@/utils/cursor';

/** The cursor of a feed item, from its counter. */
export function feedCursor(counter: number): string {
    return `cursor_${counter}`;
}

/**
 * The counter in a cursor, in either spelling: ours, or the `0-42` of stock clients (contract 4.5).
 * @throws VALIDATION_FAILED for anything else
 */
export function parseFeedCursor(cursor: string): number {
    const counter = /^(?:cursor_|0-)(\d{1,15})$/.exec(cursor)?.[1];
    if (counter === undefined) throw invalidCursor();
    return Number(counter);
}
