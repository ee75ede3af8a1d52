import { sql } from 'drizzle-orm';
import type { SQLWrapper } from 'drizzle-orm';

/**
 * Most bytes of content on one page, give or take its last row. A Worker has 128 MB for everything it does at a time, and
 * a page is in there several times over: as D1 sent it, as values, as the answer's text.
 */
export const PAGE_BYTES = 8 * 1024 * 1024;

/**
 * `LIMIT` of a page of at most `limit` rows that also ends where its content reaches `PAGE_BYTES`: one row more than the
 * page holds, by which `takePage` sees that there are further ones. One statement, and only long contents pay for a
 * running sum; an ordinary page reads the sizes of its rows beforehand.
 * @param sizes the page's own query, selecting only how many bytes each row holds, as `bytes`, without a limit
 */
export function pageLimit(sizes: SQLWrapper, limit: number): number {
    const rows = limit + 1;
    const first = sql`(SELECT bytes FROM ${sizes} LIMIT ${rows})`;
    const fitting = sql`SELECT count(*) + 1 FROM (
        SELECT sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS before FROM ${first}) WHERE before < ${PAGE_BYTES}`;
    const bounded = sql`(SELECT CASE WHEN sum(bytes) > ${PAGE_BYTES} THEN min(${rows}, (${fitting})) ELSE ${rows} END
        FROM ${first})`;
    // SQLite takes any expression here, and Drizzle passes it on; only its type knows numbers alone.
    return bounded as unknown as number;
}

/** The rows of a page that was selected with `pageLimit`: at least one if there is any, and whether more follow. */
export function takePage<Row extends { bytes: number }>(rows: Row[], limit: number) {
    let taken = 0;
    for (let bytes = 0; taken < Math.min(limit, rows.length) && bytes < PAGE_BYTES; taken++) {
        bytes += rows[taken]?.bytes ?? 0;
    }
    return { page: rows.slice(0, taken).map(({ bytes: _, ...row }) => row), hasMore: rows.length > taken };
}
