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
    /** Last number delivered in order; null before the hub has heard of any. */
    head(): number | null;
    /** Since when an update is missing below one that is known, Unix ms; null when none is. */
    gapSince(): number | null;
    /** Keeps updates and learns how far the account is; returns those that are now in order, ascending. */
    take(updates: AddressedUpdate[], seq: number, now: number): AddressedUpdate[];
    /** Gives a gap up: everything known counts as delivered, and nothing before it can be resumed from. */
    breakGap(): number;
    /** Updates after `seq`, at most about `maxBytes` of them, or null when they are not all there any more. */
    since(seq: number, now: number, maxBytes: number): LogPage | null;
}

const PRUNE_STRIDE = 500;

interface Gap {
    head: number;
    target: number;
    since: number;
}

interface LogRow extends Record<string, SqlStorageValue> {
    seq: number;
    createdAt: number;
    /** Bytes of all updates up to this one, so that the size of any stretch is a subtraction. */
    total: number;
    entry: string | null;
}

/** Opens the log, making its tables the first time. */
export function createUpdateLog({ sql }: DurableObjectStorage): UpdateLog {
    sql.exec(`CREATE TABLE IF NOT EXISTS UpdateLog (
        seq INTEGER PRIMARY KEY, createdAt INTEGER NOT NULL, total INTEGER NOT NULL, entry TEXT)`);
    sql.exec('CREATE TABLE IF NOT EXISTS LogState (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');

    /** Resuming is possible from this number on. */
    let floor = readState<number>('floor');
    let gap = readState<Gap>('gap');
    let last = lastRow();
    let head = gap?.head ?? last?.seq ?? floor;
    if (head !== null && floor !== null) head = Math.max(head, floor);
    let target = gap?.target ?? head ?? 0;

    function take(updates: AddressedUpdate[], seq: number, now: number): AddressedUpdate[] {
        if (head === null) begin((updates[0]?.update.seq ?? seq + 1) - 1);
        const ready: AddressedUpdate[] = [];
        for (const addressed of updates) {
            const { seq: number } = addressed.update;
            if (number <= (head ?? 0) || !store(addressed, now)) continue;
            if (number === (head ?? 0) + 1) {
                head = number;
                ready.push(addressed);
            }
        }
        target = Math.max(target, seq, last?.seq ?? 0);
        if (gap) ready.push(...followers());
        noteGap(now);
        // In strides, so that most updates cost one row; asking for updates prunes exactly.
        if (last && last.seq % PRUNE_STRIDE === 0) prune(now);
        return ready;
    }

    /** Kept updates that a closed gap has let through. */
    function followers(): AddressedUpdate[] {
        const ready: AddressedUpdate[] = [];
        for (const row of sql.exec<LogRow>('SELECT * FROM UpdateLog WHERE seq > ? ORDER BY seq', head ?? 0)) {
            if (row.seq !== (head ?? 0) + 1 || row.entry === null) break;
            head = row.seq;
            ready.push(JSON.parse(row.entry) as AddressedUpdate);
        }
        return ready;
    }

    function noteGap(now: number): void {
        const open = (head ?? 0) < target;
        if (!open && gap) writeState('gap', (gap = null));
        if (open && (gap?.head !== head || gap.target !== target)) {
            writeState('gap', (gap = { head: head ?? 0, target, since: gap?.head === head ? gap.since : now }));
        }
    }

    function breakGap(): number {
        head = target;
        writeState('gap', (gap = null));
        writeState('floor', (floor = head));
        return head;
    }

    function begin(at: number): void {
        head = at;
        target = at;
        writeState('floor', (floor = at));
    }

    function since(from: number, now: number, maxBytes: number): LogPage | null {
        prune(now);
        if (head === null || from > head || from < (floor ?? 0)) return null;
        const updates: AddressedUpdate[] = [];
        let bytes = 0;
        let seq = from;
        for (const row of sql.exec<LogRow>('SELECT * FROM UpdateLog WHERE seq > ? AND seq <= ? ORDER BY seq', from, head)) {
            // A hole can only be an update that never came, or one too large to keep.
            if (row.seq !== seq + 1 || row.entry === null) {
                return updates.length > 0 ? { updates, seq, hasMore: true } : null;
            }
            bytes += row.entry.length;
            if (bytes > maxBytes && updates.length > 0) return { updates, seq, hasMore: true };
            updates.push(JSON.parse(row.entry) as AddressedUpdate);
            seq = row.seq;
        }
        return seq === head ? { updates, seq, hasMore: false } : null;
    }

    /** False for a number that is there already. */
    function store(addressed: AddressedUpdate, now: number): boolean {
        const { seq } = addressed.update;
        const entry = JSON.stringify(addressed);
        const kept = entry.length <= LOG_LIMITS.updateBytes ? entry : null;
        const row = { seq, createdAt: now, total: (last?.total ?? 0) + (kept?.length ?? 0), entry: kept };
        const written = sql.exec(
            'INSERT INTO UpdateLog (seq, createdAt, total, entry) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
            row.seq,
            row.createdAt,
            row.total,
            row.entry,
        ).rowsWritten;
        if (written > 0 && (!last || seq > last.seq)) last = row;
        return written > 0;
    }

    /** Deletes from the front what is too old, too far back or too much, and moves the floor past it. */
    function prune(now: number): void {
        if (!last) return;
        let first = Math.max(floor ?? 0, last.seq - LOG_LIMITS.updates);
        const rows = sql.exec<LogRow>('SELECT seq, createdAt, total FROM UpdateLog WHERE seq > ? ORDER BY seq', first);
        for (const row of rows) {
            if (row.createdAt > now - LOG_LIMITS.ageMs && last.total - row.total <= LOG_LIMITS.bytes) break;
            first = row.seq;
        }
        if (first <= (floor ?? 0)) return;
        sql.exec('DELETE FROM UpdateLog WHERE seq <= ?', first);
        writeState('floor', (floor = first));
    }

    function lastRow(): LogRow | undefined {
        return sql.exec<LogRow>('SELECT * FROM UpdateLog ORDER BY seq DESC LIMIT 1').toArray()[0];
    }

    function readState<T>(key: string): T | null {
        const [row] = sql.exec<{ value: string }>('SELECT value FROM LogState WHERE key = ?', key).toArray();
        return row ? (JSON.parse(row.value) as T) : null;
    }

    function writeState(key: string, value: unknown): void {
        if (value === null) sql.exec('DELETE FROM LogState WHERE key = ?', key);
        else sql.exec('INSERT OR REPLACE INTO LogState (key, value) VALUES (?, ?)', key, JSON.stringify(value));
    }

    return { head: () => head, gapSince: () => gap?.since ?? null, take, breakGap, since };
}
