import { and, eq, gt, gte, isNotNull, lt, lte, sql } from 'drizzle-orm';
import type { ServiceContext } from '@/context';
import { writeBatch } from '@/db/batch';
import { sessions, simpleCaches, uploadedFiles } from '@/db/schema';
import { fileKey, parseKey } from '@/storage/keys';
import type { ListedObject } from '@/storage/r2';

/** What an upload or a deletion that is under way leaves is younger than this. */
const GRACE_MS = 24 * 60 * 60_000;

/** Pages of 1,000 objects a night: a free Worker may make 50 calls, and a page takes up to four and its rows. */
const MAX_PAGES = 5;

/** Rows without an object looked into per page, each by a call of its own. There should be none. */
const MAX_ROWS = 4;

const PLACE = 'files-sweep';

type SweepContext = Pick<ServiceContext, 'db' | 'files' | 'now'>;

/**
 * Takes away what a failure between bucket and database left: objects that no row or session knows, and rows whose
 * object is gone. Goes through the bucket in the order of its keys, and on the next night from where it stopped.
 */
export async function sweepFiles(ctx: SweepContext): Promise<void> {
    const [place] = await ctx.db.select().from(simpleCaches).where(eq(simpleCaches.key, PLACE));
    await sweepFrom(ctx, place?.value ?? '', MAX_PAGES);
}

async function sweepFrom(ctx: SweepContext, after: string, pages: number): Promise<void> {
    const last = await sweepPage(ctx, after);
    if (last !== '' && pages > 1) await sweepFrom(ctx, last, pages - 1);
}

/** Sweeps the objects after a key, and the rows that belong among them; returns the last key, empty past the last object. */
async function sweepPage(ctx: SweepContext, after: string): Promise<string> {
    const { objects, hasMore } = await ctx.files.list({ after: after || undefined });
    const last = hasMore ? (objects.at(-1)?.key ?? '') : '';
    const stretch = { after, upTo: last || LAST_KEY };
    const { known, bare } = await look(ctx, objects, stretch);

    const orphans = objects.filter(({ key, uploadedAt }) => uploadedAt < ctx.now() - GRACE_MS && !isKnown(known, key));
    await ctx.files.delete(orphans.map(({ key }) => key));

    // Asked once more, object by object: a row must not go for a listing that left something out.
    const checked = await Promise.all(
        bare.map(async (row) => ({ row, object: await ctx.files.head(fileKey(row.accountId, row.id)) })),
    );
    const dangling = checked.filter(({ object }) => object === null).map(({ row }) => row.id);
    await writeBatch(ctx.db, [deleteRows(dangling), keepPlace(last, ctx.now())], []);
    return last;
}

/** Sorts after every key. */
const LAST_KEY = '\u{10FFFF}';

interface Stretch {
    after: string;
    upTo: string;
}

/** What the database knows of a stretch of keys. */
async function look({ db, now }: SweepContext, objects: ListedObject[], { after, upTo }: Stretch) {
    const owners = objects.map(({ key }) => parseKey(key));
    const ids = JSON.stringify(owners.flatMap((owner) => (owner && 'id' in owner ? [owner.id] : [])));
    const sessionIds = JSON.stringify([
        ...new Set(owners.flatMap((owner) => (owner && 'sessionId' in owner ? [owner.sessionId] : []))),
    ]);
    const key = sql<string>`${uploadedFiles.accountId} || '/' || ${uploadedFiles.id}`;

    const [files, liveSessions, bare] = await db.batch([
        db
            .select({ key })
            .from(sql`json_each(${ids}) k`)
            .crossJoin(uploadedFiles)
            .where(eq(uploadedFiles.id, sql`k.value`)),
        db
            .select({ id: sessions.id })
            .from(sql`json_each(${sessionIds}) k`)
            .crossJoin(sessions)
            .where(eq(sessions.id, sql`k.value`)),
        db
            .select({ id: uploadedFiles.id, accountId: uploadedFiles.accountId })
            .from(uploadedFiles)
            .where(
                and(
                    // The account bounds let the index find the stretch; the keys then say exactly what is in it.
                    gte(uploadedFiles.accountId, accountOf(after)),
                    lte(uploadedFiles.accountId, accountOf(upTo)),
                    gt(key, after),
                    lte(key, upTo),
                    // A Node server's rows, which have no size, have their files elsewhere.
                    isNotNull(uploadedFiles.size),
                    lt(uploadedFiles.createdAt, now() - GRACE_MS),
                    sql`${uploadedFiles.id} NOT IN (SELECT value FROM json_each(${ids}))`,
                ),
            )
            .limit(MAX_ROWS),
    ]);
    const known = new Set([...files.map((file) => file.key), ...liveSessions.map(({ id }) => id)]);
    return { known, bare };
}

/** Objects with keys that this server does not make are somebody else's business. */
function isKnown(known: Set<string>, key: string): boolean {
    const owner = parseKey(key);
    if (owner === null) return true;
    return known.has('sessionId' in owner ? owner.sessionId : key);
}

function accountOf(key: string): string {
    return key.split('/')[0] ?? '';
}

function deleteRows(ids: string[]) {
    return sql`DELETE FROM ${uploadedFiles} WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
}

function keepPlace(key: string, now: number) {
    return sql`INSERT INTO ${simpleCaches} (key, value, createdAt, updatedAt) VALUES (${PLACE}, ${key}, ${now}, ${now})
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updatedAt = excluded.updatedAt`;
}
