/** A map that holds at most `capacity` entries and forgets the least recently used one first. */
export interface BoundedCache<Value> {
    get(key: string): Value | undefined;
    set(key: string, value: Value): void;
    delete(key: string): void;
    entries(): Iterable<[string, Value]>;
    readonly size: number;
}

/** Creates an empty cache for at most `capacity` entries (at least 1). */
export function createBoundedCache<Value>(capacity: number): BoundedCache<Value> {
    // A Map iterates in insertion order, so its first key is the least recently used one.
    const entries = new Map<string, Value>();

    return {
        get(key) {
            const value = entries.get(key);
            if (value !== undefined) {
                entries.delete(key);
                entries.set(key, value);
            }
            return value;
        },
        set(key, value) {
            entries.delete(key);
            entries.set(key, value);
            if (entries.size > capacity) {
                const oldest = entries.keys().next();
                if (!oldest.done) entries.delete(oldest.value);
            }
        },
        delete(key) {
            entries.delete(key);
        },
        entries: () => entries,
        get size() {
            return entries.size;
        },
    };
}
