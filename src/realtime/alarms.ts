/** Named times on the one alarm that a Durable Object has; kept in its SQLite, so they outlive evictions. */
export interface Alarms<Name extends string> {
    /** Sets, moves or with null removes a time (Unix ms). Costs rows only when it changes something. */
    set(name: Name, at: number | null): void;
    get(name: Name): number | null;
    /** Names whose time has come; they are removed. To be called from the object's `alarm`. */
    takeDue(now: number): Name[];
}

/** Opens the alarms of an object. */
export function createAlarms<Name extends string>(storage: DurableObjectStorage): Alarms<Name> {
    const { sql } = storage;
    sql.exec('CREATE TABLE IF NOT EXISTS Alarm (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID');
    const times = new Map(
        sql
            .exec<{ name: string; at: number }>('SELECT name, at FROM Alarm')
            .toArray()
            .map(({ name, at }) => [name as Name, at]),
    );

    function arm(): void {
        // With nothing left to wait for, no alarm is pending: the object sleeps.
        if (times.size === 0) void storage.deleteAlarm();
        else void storage.setAlarm(Math.min(...times.values()));
    }

    return {
        get: (name) => times.get(name) ?? null,
        set(name, at) {
            if ((times.get(name) ?? null) === at) return;
            const before = Math.min(...times.values());
            if (at === null) {
                times.delete(name);
                sql.exec('DELETE FROM Alarm WHERE name = ?', name);
            } else {
                times.set(name, at);
                sql.exec('INSERT OR REPLACE INTO Alarm (name, at) VALUES (?, ?)', name, at);
            }
            if (Math.min(...times.values()) !== before) arm();
        },
        takeDue(now) {
            const due = [...times].filter(([, at]) => at <= now).map(([name]) => name);
            for (const name of due) {
                times.delete(name);
                sql.exec('DELETE FROM Alarm WHERE name = ?', name);
            }
            // The alarm that rang is used up, whoever asked for it.
            if (times.size > 0) arm();
            return due;
        },
    };
}
