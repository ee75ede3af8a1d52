import type { AddressedUpdate } from '@/realtime/updates';

/** What the log keeps at most (contract 13): older or larger than this is answered with a resync. */
export const LOG_LIMITS = { ageMs: 24 * 3_600_000, updates: 10_000, bytes: 20_000_000, updateBytes: 1_000_000 };

/** A page of missed updates. */
export interface LogPage {
    updates: AddressedUpdate[];
    /** The updates up to this number are covered by the page, whether they concern the asker or not. */
    seq: number;
    hasMore: boolean;
}

/**
 * An account's updates in the hub's SQLite: kept as they come, delivered in order. `head` is the last number that was
 * delivered; what lies above it waits for a gap to close. One row per update; state is written only when order breaks.
 */
export interface UpdateLog {
    /** Last number delivered in order; 0 before the first, as an account's numbers begin at 1. */
    head(): number;
    /** When the newest update was kept, or a gap was given up after that, Unix ms; 0 for never. */
    keptAt(): number;
    /** Since when an update is missing below one that is known, Unix ms; null when none is. */
    gapSince(): number | null;
    /** Keeps updates and learns how far the account is; returns those that are now in order, ascending. */
    take(updates: AddressedUpdate[], seq: number, now: number): AddressedUpdate[];
    /** Gives a gap up: everything known counts as delivered, and nothing before it can be resumed from. */
    breakGap(now: number): number;
    /**
     * Updates after `seq`, and with `upTo` none beyond that, at most about `maxBytes` of them; null when they are not
     * all there any more, or `seq` lies in the future.
     */
    since(seq: number, now: number, maxBytes: number, upTo?: number): LogPage | null;
    /** About how many bytes of updates are kept after `seq`. */
    bytesAfter(seq: number): number;
}

/** How often the front of the log is looked at: the limits hold within one stride, and exactly for whoever asks. */
const PRUNE_STRIDE = { updates: 500, bytes: 1_000_000 };

interface Gap {
    head: number;
    target: number;
    since: number;
}

interface LogRow extends Record<string, SqlStorageValue> {
    seq: number;
    /** Unix ms. */
    createdAt: number;
    /** Bytes of all updates kept so far, so that the size of a stretch is a subtraction. */
    total: number;
    /** The update as JSON; null for one too large to keep. */
    entry: string | null;
}

/** The newest update that is kept, and the bytes of all. */
interface Tail {
    seq: number;
    total: number;
}

/** Opens the log, making its tables the first time. */
export function createUpdateLog({ sql }: DurableObjectStorage): UpdateLog {
    sql.exec(`CREATE TABLE IF NOT EXISTS UpdateLog (
        seq INTEGER PRIMARY KEY, createdAt INTEGER NOT NULL, total INTEGER NOT NULL, entry TEXT)`);
    sql.exec('CREATE TABLE IF NOT EXISTS LogState (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');

    /** Resuming is possible from this number on. */
    let floor = (readState('floor') as number | null) ?? 0;
    let gap = readState('gap') as Gap | null;
    let last = readTail();
    let head = Math.max(gap?.head ?? last?.seq ?? 0, floor);
    let target = gap?.target ?? head;

    function take(updates: AddressedUpdate[], seq: number, now: number): AddressedUpdate[] {
        const before = last;
        const ready: AddressedUpdate[] = [];
        for (const addressed of updates) {
            const { seq: number } = addressed.update;
            if (number <= head || !store(addressed, now)) continue;
            if (number === head + 1) {
                head = number;
                ready.push(addressed);
            }
        }
        target = Math.max(target, seq, last?.seq ?? 0);
        if (gap) ready.push(...followers());
        noteGap(now);
        if (last && crossesStride(before, last)) prune(now);
        return ready;
    }

    /** In strides, so that most updates cost one row. */
    function crossesStride(before: Tail | undefined, after: Tail): boolean {
        const crosses = (from: number, to: number, stride: number) =>
            Math.floor(from / stride) !== Math.floor(to / stride);
        return (
            crosses(before?.seq ?? 0, after.seq, PRUNE_STRIDE.updates) ||
            crosses(before?.total ?? 0, after.total, PRUNE_STRIDE.bytes)
        );
    }

    /** Kept updates that a closed gap has let through. */
    function followers(): AddressedUpdate[] {
        const ready: AddressedUpdate[] = [];
        for (const row of sql.exec<LogRow>('SELECT * FROM UpdateLog WHERE seq > ? ORDER BY seq', head)) {
            if (row.seq !== head + 1 || row.entry === null) break;
            head = row.seq;
            ready.push(JSON.parse(row.entry) as AddressedUpdate);
        }
        return ready;
    }

    function noteGap(now: number): void {
        const open = head < target;
        if (!open && gap) writeState('gap', (gap = null));
        if (open && (gap?.head !== head || gap.target !== target)) {
            writeState('gap', (gap = { head, target, since: gap?.head === head ? gap.since : now }));
        }
    }

    function breakGap(now: number): number {
        head = target;
        writeState('brokenAt', now);
        writeState('gap', (gap = null));
        writeState('floor', (floor = head));
        return head;
    }

    function since(from: number, now: number, maxBytes: number, upTo = Number.MAX_SAFE_INTEGER): LogPage | null {
        prune(now);
        if (from > head || from < floor) return null;
        const end = Math.max(from, Math.min(head, upTo));
        const updates: AddressedUpdate[] = [];
        let bytes = 0;
        let seq = from;
        for (const row of sql.exec<LogRow>(
            'SELECT * FROM UpdateLog WHERE seq > ? AND seq <= ? ORDER BY seq',
            from,
            end,
        )) {
            // A hole can only be an update that never came, or one too large to keep.
            if (row.seq !== seq + 1 || row.entry === null) {
                return updates.length > 0 ? { updates, seq, hasMore: true } : null;
            }
            bytes += Buffer.byteLength(row.entry);
            if (bytes > maxBytes && updates.length > 0) return { updates, seq, hasMore: true };
            updates.push(JSON.parse(row.entry) as AddressedUpdate);
            seq = row.seq;
        }
        return seq === end ? { updates, seq, hasMore: false } : null;
    }

    /** False for a number that is there already. */
    function store(addressed: AddressedUpdate, now: number): boolean {
        const { seq } = addressed.update;
        const json = JSON.stringify(addressed);
        const bytes = Buffer.byteLength(json);
        const isKept = bytes <= LOG_LIMITS.updateBytes;
        const total = (last?.total ?? 0) + (isKept ? bytes : 0);
        const { rowsWritten } = sql.exec(
            'INSERT INTO UpdateLog (seq, createdAt, total, entry) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
            seq,
            now,
            total,
            isKept ? json : null,
        );
        if (rowsWritten === 0) return false;
        last = { seq: Math.max(seq, last?.seq ?? 0), total };
        return true;
    }

    /** Deletes from the front what is too old, too far back or too much, and moves the floor past it. */
    function prune(now: number): void {
        if (!last) return;
        let first = Math.max(floor, last.seq - LOG_LIMITS.updates);
        const rows = sql.exec<Pick<LogRow, 'seq' | 'createdAt' | 'total'> & { bytes: number }>(
            'SELECT seq, createdAt, total, ifnull(octet_length(entry), 0) AS bytes FROM UpdateLog WHERE seq > ? ORDER BY seq',
            first,
        );
        for (const row of rows) {
            const fromHere = last.total - row.total + row.bytes;
            if (row.createdAt > now - LOG_LIMITS.ageMs && fromHere <= LOG_LIMITS.bytes) break;
            first = row.seq;
        }
        // What waits for a gap to close is not history yet.
        first = Math.min(first, head);
        if (first <= floor) return;
        sql.exec('DELETE FROM UpdateLog WHERE seq <= ?', first);
        writeState('floor', (floor = first));
    }

    function readTail(): Tail | undefined {
        // An update that came late has the larger total though not the larger number: a few rows tell both.
        const [tail] = sql
            .exec<{ seq: number | null; total: number | null }>(
                'SELECT max(seq) AS seq, max(total) AS total FROM (SELECT seq, total FROM UpdateLog ORDER BY seq DESC LIMIT 20)',
            )
            .toArray();
        return tail?.seq == null || tail.total == null ? undefined : { seq: tail.seq, total: tail.total };
    }

    function readState(key: string): unknown {
        const [row] = sql.exec<{ value: string }>('SELECT value FROM LogState WHERE key = ?', key).toArray();
        return row ? JSON.parse(row.value) : null;
    }

    function writeState(key: string, value: unknown): void {
        if (value === null) sql.exec('DELETE FROM LogState WHERE key = ?', key);
        else sql.exec('INSERT OR REPLACE INTO LogState (key, value) VALUES (?, ?)', key, JSON.stringify(value));
    }

    function keptAt(): number {
        const newest = 'SELECT createdAt AS at FROM UpdateLog ORDER BY seq DESC LIMIT 1';
        const at = sql.exec<{ at: number }>(newest).toArray()[0]?.at ?? 0;
        return Math.max(at, (readState('brokenAt') as number | null) ?? 0);
    }

    function bytesAfter(seq: number): number {
        const from = 'SELECT total FROM UpdateLog WHERE seq >= ? ORDER BY seq LIMIT 1';
        const [row] = sql.exec<{ total: number }>(from, seq).toArray();
        return row && last ? last.total - row.total : 0;
    }

    return { bytesAfter, head: () => head, keptAt, gapSince: () => gap?.since ?? null, take, breakGap, since };
}
