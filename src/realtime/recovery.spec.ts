import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { LOG_LIMITS, createUpdateLog } from '@/realtime/recovery';
import type { UpdateLog } from '@/realtime/recovery';
import type { AddressedUpdate } from '@/realtime/updates';

const NOW = 1_700_000_000_000;

/** A log over real storage; `reopen` gives what an object finds after an eviction. */
interface Scratch {
    log: UpdateLog;
    reopen(): UpdateLog;
    sql: SqlStorage;
}

function withLog(run: (scratch: Scratch) => void): Promise<void> {
    return runInDurableObject(env.ACCOUNT_HUB.getByName(crypto.randomUUID()), (_, { storage }) => {
        run({ log: createUpdateLog(storage), reopen: () => createUpdateLog(storage), sql: storage.sql });
    });
}

function update(seq: number, text = ''): AddressedUpdate {
    return { update: { id: `u${seq}`, seq, body: { t: 'delete-session', sid: text }, createdAt: NOW }, to: {} };
}

function take(log: UpdateLog, ...seqs: number[]): number[] {
    const last = seqs.at(-1) ?? 0;
    return log
        .take(
            seqs.map((seq) => update(seq)),
            last,
            NOW,
        )
        .map((ready) => ready.update.seq);
}

function seqsSince(log: UpdateLog, seq: number, now = NOW, bytes = Number.POSITIVE_INFINITY, upTo?: number) {
    return log.since(seq, now, bytes, upTo)?.updates.map((each) => each.update.seq) ?? null;
}

function rowsWritten(sql: SqlStorage, run: () => void): number {
    const count = () => sql.exec<{ n: number }>('SELECT total_changes() AS n').one().n;
    const before = count();
    run();
    return count() - before;
}

describe('the update log', () => {
    it('hands out updates in order, each once', () =>
        withLog(({ log }) => {
            expect(take(log, 1, 2)).toEqual([1, 2]);
            expect(take(log, 2, 3)).toEqual([3]);
            expect(take(log, 1, 2, 3)).toEqual([]);
            expect(log.head()).toBe(3);
            expect(log.gapSince()).toBeNull();
            expect(log.since(0, NOW, 1e9)).toEqual({
                updates: [update(1), update(2), update(3)],
                seq: 3,
                hasMore: false,
            });
        }));

    it('writes one row for an update in order, and none for one that it has', () =>
        withLog(({ log, sql }) => {
            take(log, 1);
            expect(rowsWritten(sql, () => take(log, 2))).toBe(1);
            expect(rowsWritten(sql, () => take(log, 3, 4, 5))).toBe(3);
            expect(rowsWritten(sql, () => take(log, 5))).toBe(0);
            expect(rowsWritten(sql, () => log.take([], 5, NOW))).toBe(0);
        }));

    it('holds what comes after a gap until it closes', () =>
        withLog(({ log }) => {
            expect(take(log, 1)).toEqual([1]);
            expect(take(log, 4)).toEqual([]);
            expect(take(log, 3)).toEqual([]);
            expect([log.head(), log.gapSince()]).toEqual([1, NOW]);
            expect(seqsSince(log, 0)).toEqual([1]);
            expect(take(log, 2)).toEqual([2, 3, 4]);
            expect([log.head(), log.gapSince()]).toEqual([4, null]);
        }));

    it('measures a gap from when it came up, however much comes meanwhile', () =>
        withLog(({ log }) => {
            take(log, 1);
            log.take([update(3)], 3, NOW + 10);
            log.take([update(5)], 5, NOW + 20);
            expect(log.gapSince()).toBe(NOW + 10);
            log.take([update(2)], 2, NOW + 30);
            expect([log.head(), log.gapSince()]).toEqual([3, NOW + 30]);
        }));

    it('notices what it was never told by the number alone', () =>
        withLog(({ log }) => {
            take(log, 1);
            expect(log.take([], 3, NOW + 5)).toEqual([]);
            expect(log.gapSince()).toBe(NOW + 5);
            expect(take(log, 2)).toEqual([2]);
            expect(take(log, 3)).toEqual([3]);
            expect(log.gapSince()).toBeNull();
        }));

    it('breaks at a gap that is given up: nothing before it can be resumed from, everything after it can', () =>
        withLog(({ log, reopen }) => {
            take(log, 1);
            take(log, 3, 4);
            expect(log.breakGap(NOW)).toBe(4);
            expect([log.head(), log.gapSince()]).toEqual([4, null]);
            // Too late: everybody was told to start over.
            expect(take(log, 2)).toEqual([]);
            expect(take(log, 5)).toEqual([5]);
            for (const each of [log, reopen()]) {
                expect([0, 1, 2, 3, 4, 5, 6].map((seq) => seqsSince(each, seq))).toEqual([
                    null,
                    null,
                    null,
                    null,
                    [5],
                    [],
                    null,
                ]);
            }
        }));

    it('is the same after an eviction, also within a gap', () =>
        withLog(({ log, reopen }) => {
            take(log, 1, 2);
            expect(reopen().head()).toBe(2);
            expect(take(reopen(), 3)).toEqual([3]);
            take(reopen(), 6);
            const again = reopen();
            expect([again.head(), again.gapSince()]).toEqual([3, NOW]);
            expect(take(again, 4, 5)).toEqual([4, 5, 6]);
        }));

    it('begins with the first update of the account, whichever comes first', () =>
        withLog(({ log, reopen }) => {
            expect([log.head(), log.gapSince(), seqsSince(log, 0)]).toEqual([0, null, []]);
            expect(take(log, 3)).toEqual([]);
            expect([log.head(), log.gapSince()]).toEqual([0, NOW]);
            expect(take(reopen(), 1, 2)).toEqual([1, 2, 3]);
            expect(seqsSince(reopen(), 0)).toEqual([1, 2, 3]);
        }));

    it('misses all there was before it heard of the account', () =>
        withLog(({ log, reopen }) => {
            expect(log.take([], 7, NOW)).toEqual([]);
            expect(log.gapSince()).toBe(NOW);
            expect(log.breakGap(NOW)).toBe(7);
            expect([seqsSince(reopen(), 6), seqsSince(reopen(), 7)]).toEqual([null, []]);
            expect(take(reopen(), 8)).toEqual([8]);
        }));

    it('refuses a number from the future', () =>
        withLog(({ log }) => {
            take(log, 1);
            expect([seqsSince(log, 1), seqsSince(log, 2), seqsSince(log, Number.MAX_SAFE_INTEGER)]).toEqual([
                [],
                null,
                null,
            ]);
        }));

    it('gives pages by bytes, not characters, and at least one update each', () =>
        withLog(({ log }) => {
            log.take([update(1, '€'.repeat(1000)), update(2, '€'.repeat(1000)), update(3, 'x')], 3, NOW);
            const pages = [];
            for (let seq = 0; seq < 3;) {
                const page = log.since(seq, NOW, 4_000);
                expect(page).not.toBeNull();
                pages.push([page?.updates.map((each) => each.update.seq), page?.hasMore]);
                seq = page?.seq ?? 3;
            }
            expect(pages).toEqual([
                [[1], true],
                [[2, 3], false],
            ]);
            expect(seqsSince(log, 0, NOW, 1)).toEqual([1]);
        }));

    it('stops at a number if asked to', () =>
        withLog(({ log }) => {
            take(log, 1, 2, 3);
            expect(seqsSince(log, 0, NOW, 1e9, 2)).toEqual([1, 2]);
            expect(log.since(2, NOW, 1e9, 2)).toEqual({ updates: [], seq: 2, hasMore: false });
            expect(log.since(3, NOW, 1e9, 2)).toEqual({ updates: [], seq: 3, hasMore: false });
        }));

    it('delivers an update that is too large to keep, but no resume goes across it', () =>
        withLog(({ log }) => {
            const large = update(2, '€'.repeat(LOG_LIMITS.updateBytes / 3));
            take(log, 1);
            expect(log.take([large], 2, NOW)).toEqual([large]);
            expect(take(log, 3)).toEqual([3]);
            expect(log.since(0, NOW, 1e9)).toEqual({ updates: [update(1)], seq: 1, hasMore: true });
            expect([seqsSince(log, 1), seqsSince(log, 2)]).toEqual([null, [3]]);
        }));

    it('cannot hold such an update behind a gap: that ends as a gap', () =>
        withLog(({ log }) => {
            take(log, 1);
            log.take([update(3, 'x'.repeat(LOG_LIMITS.updateBytes))], 3, NOW);
            expect(take(log, 2)).toEqual([2]);
            expect(log.gapSince()).toBe(NOW);
        }));
});

describe('the update log forgets', () => {
    it('what is a day old', () =>
        withLog(({ log }) => {
            log.take([update(1)], 1, NOW);
            log.take([update(2)], 2, NOW + 1);
            expect(seqsSince(log, 0, NOW + LOG_LIMITS.ageMs - 1)).toEqual([1, 2]);
            expect(seqsSince(log, 0, NOW + LOG_LIMITS.ageMs)).toBeNull();
            expect(seqsSince(log, 1, NOW + LOG_LIMITS.ageMs)).toEqual([2]);
            expect(seqsSince(log, 1, NOW + 2 * LOG_LIMITS.ageMs)).toBeNull();
            expect(seqsSince(log, 2, NOW + 2 * LOG_LIMITS.ageMs)).toEqual([]);
        }));

    it('all but ten thousand', () =>
        withLog(({ log, sql }) => {
            const many = Array.from({ length: LOG_LIMITS.updates + 700 }, (_, i) => update(i + 1));
            log.take(many, many.length, NOW);
            expect(seqsSince(log, 699)).toBeNull();
            expect(seqsSince(log, 700)).toHaveLength(LOG_LIMITS.updates);
            const { n } = sql.exec<{ n: number }>('SELECT count(*) AS n FROM UpdateLog').one();
            expect(n).toBe(LOG_LIMITS.updates);
            expect(take(log, many.length + 1)).toEqual([many.length + 1]);
        }));

    it('all but 20 MB, though nobody asks', () =>
        withLog(({ log, sql }) => {
            const stored = () => sql.exec<{ n: number }>('SELECT sum(octet_length(entry)) AS n FROM UpdateLog').one().n;
            for (let seq = 1; seq <= 60; seq++) {
                log.take([update(seq, 'x'.repeat(900_000))], seq, NOW);
                expect(stored()).toBeLessThanOrEqual(LOG_LIMITS.bytes + 1_000_000);
            }
            const kept = seqsSince(log, 60 - 22);
            expect(kept).toHaveLength(22);
            expect(stored()).toBeLessThanOrEqual(LOG_LIMITS.bytes);
        }));

    it('the right ones even if many came out of order', () =>
        withLog(({ log, reopen, sql }) => {
            let current = log;
            take(current, 1);
            for (let seq = 2; seq < 80; seq += 2) {
                current.take([update(seq + 1, 'x'.repeat(400_000))], seq + 1, NOW);
                current = reopen();
                current.take([update(seq, 'x'.repeat(400_000))], seq, NOW);
            }
            expect(current.head()).toBe(79);
            current.since(79, NOW, 1);
            const { n } = sql.exec<{ n: number }>('SELECT sum(octet_length(entry)) AS n FROM UpdateLog').one();
            // Give or take the update that stands in another's place.
            expect(Math.abs(n - LOG_LIMITS.bytes)).toBeLessThan(1_000_000);
        }));

    it('nothing that still waits for a gap to close', () =>
        withLog(({ log }) => {
            take(log, 1);
            for (let seq = 3; seq < 40; seq++) log.take([update(seq, 'x'.repeat(900_000))], seq, NOW);
            expect(take(log, 2)).toHaveLength(38);
        }));
});
