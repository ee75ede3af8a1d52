/** Named times on the one alarm that a Durable Object has; kept in its SQLite, so they outlive evictions. */
export interface Alarms<Name extends string> {
    /** Sets, moves or with null removes a time (Unix ms). Costs rows only when it changes something. */
    set(name: Name, at: number | null): void;
    get(name: Name): number | null;
    /**
     * To be called by the object's `alarm`: runs what is due, one after the other. Each task sets its own next time, or
     * none; until then its time stands, so that a crash half-way runs it again. One that fails is run again soon.
     */
    ring(tasks: Record<Name, () => Promise<void> | void>, onError: (name: Name, error: unknown) => void): Promise<void>;
}

/** When a task that failed is tried again, in ms. */
const RETRY_MS = 10_000;

/** Opens the alarms of an object. */
export function createAlarms<Name extends string>(storage: DurableObjectStorage, now: () => number): Alarms<Name> {
    const { sql } = storage;
    sql.exec('CREATE TABLE IF NOT EXISTS Alarm (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID');
    const times = new Map(
        sql
            .exec<{ name: string; at: number }>('SELECT name, at FROM Alarm')
            .toArray()
            .map(({ name, at }) => [name as Name, at]),
    );

    function arm(): void {
        // With nothing left to wait for, no alarm is pending: the object sleeps. What fails here resets the object.
        const armed = times.size === 0 ? storage.deleteAlarm() : storage.setAlarm(Math.min(...times.values()));
        armed.catch(() => {});
    }

    function set(name: Name, at: number | null): void {
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
    }

    return {
        set,
        get: (name) => times.get(name) ?? null,
        async ring(tasks, onError) {
            const due = [...times].filter(([, at]) => at <= now()).map(([name]) => name);
            for (const name of due) {
                const at = times.get(name) ?? null;
                // Put off, or called off, while another one ran.
                if (at === null || at > now()) continue;
                try {
                    await tasks[name]();
                    // A task that asks for nothing more has been done.
                    if (times.get(name) === at) set(name, null);
                } catch (error) {
                    onError(name, error);
                    set(name, now() + RETRY_MS);
                }
            }
            // The alarm that rang is used up, whoever asked for it, and even if it rang too early for anybody.
            if (times.size > 0) arm();
        },
    };
}
