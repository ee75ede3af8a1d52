import { desc, eq, sql } from 'drizzle-orm';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { getDb } from '@/db/client';
import { PAGE_BYTES, pageLimit, takePage } from '@/db/pages';
import { sessionMessages } from '@/db/schema';
import { probeDatabase } from '@test/helpers/database';

const db = getDb(probeDatabase(env.DB).binding);
const MB = 1024 * 1024;

beforeAll(async () => {
    await env.DB.batch([
        env.DB.prepare("INSERT INTO Account (id, publicKey, createdAt, updatedAt) VALUES ('a', 'a', 0, 0)"),
        env.DB.prepare(`INSERT INTO Session (id, accountId, tag, metadata, lastActiveAt, createdAt, updatedAt)
            SELECT value, 'a', value, '', 0, 0, 0 FROM json_each('["long", "short", "exact", "tail"]')`),
        // JSON texts: their quotes count.
        insert('long', 30, MB - 2),
        insert('short', 300, 10),
        insert('exact', 8, MB - 2),
        insert('tail', 9, 10),
        env.DB.prepare(`UPDATE SessionMessage SET content = '"' || hex(zeroblob(${MB / 2})) || '"'
            WHERE sessionId = 'tail' AND seq < 9`),
    ]);
});

describe('a page', () => {
    it.each([
        ['as many rows as asked for', 'short', 100, 100, true],
        ['all rows when there are fewer', 'short', 500, 300, false],
        ['all rows when there are just as many', 'short', 300, 300, false],
        ['one row of many', 'short', 1, 1, true],
        ['rows until their content reaches the bound', 'long', 100, 8, true],
        ['fewer long rows when fewer are asked for', 'long', 3, 3, true],
        ['all rows when only the last reaches the bound', 'exact', 100, 8, false],
        ['no further row once the bound is reached, not even a short one', 'tail', 100, 8, true],
    ])('holds %s', async (_, session, limit, rows, hasMore) => {
        const { page, read } = await readPage(session, limit);
        expect(page.page.map(({ seq }) => seq)).toEqual(Array.from({ length: rows }, (_row, i) => i + 1));
        expect(page.hasMore).toBe(hasMore);
        expect(read).toBeLessThanOrEqual(rows + 1);
    });

    it('is empty where there is nothing', async () => {
        expect((await readPage('none', 10)).page).toEqual({ page: [], hasMore: false });
    });

    it('ends in the order of the list', async () => {
        const { page } = await readPage('long', 100, true);
        expect(page.page.map(({ seq }) => seq)).toEqual([30, 29, 28, 27, 26, 25, 24, 23]);
    });

    it('continues without a gap until the last row', async () => {
        const sizes: number[] = [];
        for (let after = 0, more = true; more; after += sizes.at(-1) ?? 0) {
            const { page } = await readPage('long', 100, false, after);
            sizes.push(page.page.length);
            more = page.hasMore;
        }
        expect(sizes).toEqual([8, 8, 8, 6]);
    });

    it('costs an ordinary list one look at each row more than reading it', async () => {
        const { sql: text, params } = query('short', 100).toSQL();
        const { meta } = await env.DB.prepare(text)
            .bind(...params)
            .all();
        expect(meta.rows_read).toBeLessThanOrEqual(2 * 101 + 2);
    });
});

describe('takePage', () => {
    it('takes at least one row, however long it is', () => {
        const rows = [
            { id: 1, bytes: 2 * PAGE_BYTES },
            { id: 2, bytes: 1 },
        ];
        expect(takePage(rows, 10)).toEqual({ page: [{ id: 1 }], hasMore: true });
    });
});

function query(session: string, limit: number, descending = false, after = 0) {
    const where = sql`${eq(sessionMessages.sessionId, session)} AND seq > ${after}`;
    const bytes = sql<number>`octet_length(${sessionMessages.content})`.as('bytes');
    const order = descending ? desc(sessionMessages.seq) : sessionMessages.seq;
    const sizes = db.select({ bytes }).from(sessionMessages).where(where).orderBy(order);
    return db
        .select({ seq: sessionMessages.seq, bytes })
        .from(sessionMessages)
        .where(where)
        .orderBy(order)
        .limit(pageLimit(sizes, limit));
}

/** The page, and how many rows the database sent for it. */
async function readPage(...list: Parameters<typeof query>) {
    const rows = await query(...list);
    return { page: takePage(rows, list[1]), read: rows.length };
}

function insert(session: string, count: number, bytes: number): D1PreparedStatement {
    return env.DB.prepare(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
        INSERT INTO SessionMessage (sessionId, seq, id, createdAt, updatedAt, content)
        SELECT '${session}', i, '${session}' || i, 0, 0, '"' || hex(zeroblob(${bytes / 2})) || '"' FROM n`,
    );
}
