import type { AddressedUpdate, Publication } from '@/realtime/updates';

/** The recent updates of an account, kept for sockets that were away (contract 4 of realtime: resume). */
export interface UpdateLog {
    append(publication: Publication): void;
    /** Updates with a number above `seq`, ascending. */
    since(seq: number): AddressedUpdate[];
}

const MAX_UPDATES = 10_000;

/** The update log in a hub's own SQLite. Numbers it already has are dropped, so publishing again is harmless. */
export function createUpdateLog(storage: DurableObjectStorage): UpdateLog {
    const { sql } = storage;
    sql.exec('CREATE TABLE IF NOT EXISTS UpdateLog (seq INTEGER PRIMARY KEY, update_ TEXT NOT NULL)');

    return {
        append({ updates }) {
            for (const addressed of updates) {
                const { seq } = addressed.update;
                sql.exec(
                    'INSERT INTO UpdateLog (seq, update_) VALUES (?, ?) ON CONFLICT DO NOTHING',
                    seq,
                    JSON.stringify(addressed),
                );
                sql.exec('DELETE FROM UpdateLog WHERE seq <= ?', seq - MAX_UPDATES);
            }
        },
        since(seq) {
            return sql
                .exec<{ update_: string }>('SELECT update_ FROM UpdateLog WHERE seq > ? ORDER BY seq', seq)
                .toArray()
                .map((row) => JSON.parse(row.update_) as AddressedUpdate);
        },
    };
}
