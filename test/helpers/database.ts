/** A statement as the wrapped binding saw it. */
export interface Sent {
    sql: string;
    parameters: number;
}

/** What happened on a wrapped binding. */
export interface DatabaseProbe {
    binding: D1Database;
    /** Calls that went to D1: a batch is one. */
    roundTrips: number;
    /** Rows that D1 says it wrote, index entries included. */
    rowsWritten: number;
    /** Makes the next call fail, before it does anything or after it has committed. */
    failNext(when: 'before' | 'after', message?: string): void;
    /** Makes calls fail by a rule, which is asked with the number of each from 1 on; null ends it. */
    failBy(rule: ((call: number) => 'before' | 'after' | undefined) | null): void;
}

/** Every distinct SQL text of the test file, for its query plans. */
export const statements = new Map<string, Sent>();

const CONNECTION_LOST = 'D1_ERROR: Network connection lost.';

interface Wrapped extends D1PreparedStatement {
    inner: D1PreparedStatement;
    sent: Sent;
}

/** Wraps a real D1 binding: same answers, but counted, recorded and with faults on demand. */
export function probeDatabase(real: D1Database): DatabaseProbe {
    let fault: { when: 'before' | 'after'; message: string } | undefined;
    let rule: ((call: number) => 'before' | 'after' | undefined) | null = null;

    async function call<T>(
        sent: Sent[],
        run: () => Promise<T>,
        metas: (result: T) => { meta?: unknown }[],
    ): Promise<T> {
        for (const statement of sent) statements.set(statement.sql, statement);
        probe.roundTrips += 1;
        const now = fault ?? faultBy(rule?.(probe.roundTrips));
        fault = undefined;
        if (now?.when === 'before') throw new Error(now.message);
        const result = await run();
        for (const { meta } of metas(result)) probe.rowsWritten += (meta as D1Meta | undefined)?.rows_written ?? 0;
        if (now?.when === 'after') throw new Error(now.message);
        return result;
    }

    function wrap(inner: D1PreparedStatement, sent: Sent): Wrapped {
        const one = <T>(run: () => Promise<T>, withMeta = false) =>
            call([sent], run, (result) => (withMeta ? [result as { meta?: unknown }] : []));
        return {
            inner,
            sent,
            bind: (...values: unknown[]) => wrap(inner.bind(...values), { ...sent, parameters: values.length }),
            first: (column?: string) => one(() => inner.first(column as string)),
            run: () => one(() => inner.run(), true),
            all: () => one(() => inner.all(), true),
            raw: (options?: { columnNames?: boolean }) => one(() => inner.raw(options as { columnNames: true })),
        } as unknown as Wrapped;
    }

    const binding = {
        prepare: (sql: string) => wrap(real.prepare(sql), { sql, parameters: 0 }),
        batch: (list: Wrapped[]) =>
            call(
                list.map(({ sent }) => sent),
                () => real.batch(list.map(({ inner }) => inner)),
                (results) => results,
            ),
        exec: (sql: string) => real.exec(sql),
    } as unknown as D1Database;

    const probe: DatabaseProbe = {
        binding,
        roundTrips: 0,
        rowsWritten: 0,
        failNext(when, message = CONNECTION_LOST) {
            fault = { when, message };
        },
        failBy(next) {
            rule = next;
        },
    };
    return probe;
}

function faultBy(when: 'before' | 'after' | undefined) {
    return when && { when, message: CONNECTION_LOST };
}
