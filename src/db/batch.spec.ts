import { sql } from 'drizzle-orm';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { jsonRows, writeBatch, writeForAccount } from '@/db/batch';
import { getDb } from '@/db/client';
import { accounts, sessions } from '@/db/schema';
import { probeDatabase } from '@test/helpers/database';

const probe = probeDatabase(env.DB);
const db = getDb(probe.binding);

describe('writeForAccount', () => {
    it('takes a number of the account for each row that the main write changed', async () => {
        const accountId = await accountWith(['a', 'b', 'c']);
        const { changed, seq } = await writeForAccount(db, { accountId, main: rename(accountId, ['a', 'c']) });
        expect(changed.map(({ tag }) => tag).sort()).toEqual(['a!', 'c!']);
        expect(seq).toBe(2);
        expect(await seqOf(accountId)).toBe(2);
    });

    it('takes none when the main write lost its condition, and writes nothing at all', async () => {
        const accountId = await accountWith(['a']);
        probe.rowsWritten = 0;
        const { changed, seq } = await writeForAccount(db, {
            accountId,
            main: rename(accountId, ['nobody']),
            sides: [sql`UPDATE ${sessions} SET seq = 7 WHERE accountId = ${accountId} AND changes() > 0`],
        });
        expect(changed).toEqual([]);
        expect(seq).toBe(0);
        expect(probe.rowsWritten).toBe(0);
        expect(await tagsOf(accountId)).toEqual(['a 0']);
    });

    it.each([
        ['two for each row', { updatesPerRow: 2 }, 4],
        ['none', { updatesPerRow: 0 }, 0],
        ['three for the whole write', { updatesPerWrite: 3 }, 3],
    ])('takes %s if the write says so', async (_, numbers, expected) => {
        const accountId = await accountWith(['a', 'b']);
        const { seq } = await writeForAccount(db, { accountId, main: rename(accountId, ['a', 'b']), ...numbers });
        expect(seq).toBe(expected);
    });

    it.each([[1], [0]])(
        'runs the sides one after the other when it changed something (%i a row)',
        async (updatesPerRow) => {
            const accountId = await accountWith(['a', 'b']);
            const side = (tag: string) =>
                sql`UPDATE ${sessions} SET seq = seq + 5 WHERE accountId = ${accountId} AND tag = ${tag} AND changes() > 0`;
            const main = rename(accountId, ['a']);
            await writeForAccount(db, { accountId, main, updatesPerRow, sides: [side('a!'), side('b')] });
            expect(await tagsOf(accountId)).toEqual(['a! 5', 'b 5']);
        },
    );

    it("runs `before` first, and does not take its rows for the main write's", async () => {
        const accountId = await accountWith(['a', 'b', 'c']);
        const before = [
            sql`DELETE FROM ${sessions} WHERE accountId = ${accountId} AND tag = 'b' RETURNING tag`,
            sql`DELETE FROM ${sessions} WHERE accountId = ${accountId} AND tag = 'c'`,
        ];
        const { changed, seq } = await writeForAccount(db, { accountId, before, main: rename(accountId, ['a', 'b']) });
        expect(changed).toEqual([{ tag: 'a!' }]);
        expect(seq).toBe(1);
        const lost = await writeForAccount(db, {
            accountId,
            before: [sql`UPDATE ${sessions} SET seq = 1 WHERE accountId = ${accountId}`],
            main: rename(accountId, ['gone']),
        });
        expect(lost.seq).toBe(1);
    });

    it('rolls back whole when a statement fails', async () => {
        const accountId = await accountWith(['a', 'b']);
        const write = writeForAccount(db, {
            accountId,
            before: [sql`UPDATE ${sessions} SET seq = 9 WHERE accountId = ${accountId}`],
            main: rename(accountId, ['a']),
            sides: [sql`UPDATE ${sessions} SET tag = 'same' WHERE accountId = ${accountId} AND changes() > 0`],
        });
        await expect(write).rejects.toThrow('UNIQUE constraint failed');
        expect(await tagsOf(accountId)).toEqual(['a 0', 'b 0']);
        expect(await seqOf(accountId)).toBe(0);
    });

    it('reads the state after the write, in the same round trip', async () => {
        const accountId = await accountWith(['a']);
        probe.roundTrips = 0;
        const { reads } = await writeForAccount(db, {
            accountId,
            main: rename(accountId, ['a']),
            reads: [
                db.select({ tag: sessions.tag, active: sessions.active }).from(sessions).where(ownedBy(accountId)),
                db
                    .select({ seq: accounts.seq })
                    .from(accounts)
                    .where(sql`id = ${accountId}`),
            ],
        });
        expect(reads).toEqual([[{ tag: 'a!', active: true }], [{ seq: 1 }]]);
        expect(probe.roundTrips).toBe(1);
    });
});

describe('writeBatch', () => {
    it('returns what each write returned, and the reads', async () => {
        const accountId = await accountWith(['a', 'b']);
        const { written, reads } = await writeBatch(
            db,
            [rename(accountId, ['a']), sql`UPDATE ${sessions} SET seq = 1 WHERE accountId = ${accountId}`],
            [db.select({ tag: sessions.tag }).from(sessions).where(ownedBy(accountId)).orderBy(sessions.tag)],
        );
        expect(written).toEqual([[{ tag: 'a!' }], []]);
        expect(reads).toEqual([[{ tag: 'a!' }, { tag: 'b' }]]);
    });
});

describe('jsonRows', () => {
    it('is a row source of any JSON values', async () => {
        const items = [1, 'two', null, { three: [3, '"\\\u0001é😀'] }];
        expect(await valuesOf(items)).toEqual([1, 'two', null, '{"three":[3,"\\"\\\\\\u0001é😀"]}']);
        expect(await valuesOf([])).toEqual([]);
    });

    it('sends a list that fits in one parameter', () => {
        const { params } = db
            .select()
            .from(sql`${jsonRows(['a', 'b'])}`)
            .toSQL();
        expect(params).toEqual(['["a","b"]']);
    });

    it.each([
        ['12 MB of ASCII', 'x'.repeat(300_000), 40],
        ['12 MB of Unicode', 'é'.repeat(150_000), 40],
        ['items of which no two fit together', 'x'.repeat(1_000_000), 10],
    ])('splits %s over parameters of at most 1.5 MB', async (_, text, count) => {
        const items = Array.from({ length: count }, (_item, i) => ({ i, text }));
        const source = jsonRows(items);
        const { params } = db
            .select()
            .from(sql`${source}`)
            .toSQL();
        expect(params.every((param) => Buffer.byteLength(param as string) <= 1_500_000)).toBe(true);
        expect(params.flatMap((param) => JSON.parse(param as string))).toEqual(items);
        // D1 has to take it: it refuses compound selects of more than five parts, and parameters of more than 2 MB.
        const rows = await db
            .select({ i: sql<number>`value ->> 'i'`, bytes: sql<number>`octet_length(value ->> 'text')` })
            .from(source);
        expect(rows.sort((a, b) => a.i - b.i)).toEqual(items.map(({ i }) => ({ i, bytes: Buffer.byteLength(text) })));
    });

    it('lets an item that is longer stand alone', () => {
        const { params } = db
            .select()
            .from(sql`${jsonRows(['a', 'x'.repeat(1_600_000), 'b'])}`)
            .toSQL();
        expect(params.map((param) => (param as string).length)).toEqual([5, 1_600_004, 5]);
    });
});

async function accountWith(tags: string[]): Promise<string> {
    const id = crypto.randomUUID();
    await env.DB.batch([
        env.DB.prepare('INSERT INTO Account (id, publicKey, createdAt, updatedAt) VALUES (?, ?, 0, 0)').bind(id, id),
        ...tags.map((tag) =>
            env.DB.prepare(
                `INSERT INTO Session (id, accountId, tag, metadata, lastActiveAt, createdAt, updatedAt)
                VALUES (?, ?, ?, '', 0, 0, 0)`,
            ).bind(crypto.randomUUID(), id, tag),
        ),
    ]);
    return id;
}

/** A conditional write: an exclamation mark for those of the account's sessions that have one of the tags. */
function rename(accountId: string, tags: string[]) {
    return sql<{ tag: string }>`UPDATE ${sessions} SET tag = tag || '!'
        WHERE accountId = ${accountId} AND tag IN ${tags} RETURNING tag`;
}

function ownedBy(accountId: string) {
    return sql`accountId = ${accountId}`;
}

async function tagsOf(accountId: string): Promise<string[]> {
    const rows = await env.DB.prepare(`SELECT tag || ' ' || seq AS text FROM Session WHERE accountId = ? ORDER BY tag`)
        .bind(accountId)
        .all<{ text: string }>();
    return rows.results.map(({ text }) => text);
}

async function seqOf(accountId: string): Promise<number | undefined> {
    const row = await env.DB.prepare('SELECT seq FROM Account WHERE id = ?').bind(accountId).first<{ seq: number }>();
    return row?.seq;
}

async function valuesOf(items: unknown[]): Promise<unknown[]> {
    const rows = await db.select({ value: sql`value` }).from(sql`${jsonRows(items)}`);
    return rows.map(({ value }) => value);
}
