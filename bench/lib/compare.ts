import { cpuMs } from './cpu';
import { median, round } from './numbers';

/** Something to measure: `run` does it so often, in the process `pid`. */
export interface Subject {
    pid: number | null;
    run(count: number): Promise<void>;
}

/** How long to measure. */
export interface Rounds {
    rounds: number;
    /** Requests of a subject in one round. */
    requests: number;
    /** Requests of a subject before the first round, for the compilers in V8. */
    warmUp: number;
}

/** CPU per request of several subjects, and how it compares with the floor's. */
export interface Comparison {
    name: string;
    /** Median over the rounds, µs; null where CPU time cannot be measured. */
    cpuUs: Record<string, number | null>;
    /** Median of the ratios to the floor within the same round. */
    ratios: Record<string, number | null>;
    /** The lowest and highest of these ratios. */
    spread: Record<string, { lowest: number; highest: number } | null>;
}

/**
 * Measures subjects in turns, floor, others, floor, others …: whatever slows this machine for a while slows all of them,
 * and the ratios within a round stay.
 */
export async function compare(
    name: string,
    subjects: { floor: Subject } & Record<string, Subject>,
    { rounds, requests, warmUp }: Rounds,
): Promise<Comparison> {
    const names = Object.keys(subjects);
    const used: Record<string, number[]> = Object.fromEntries(names.map((subject) => [subject, []]));
    for (const subject of Object.values(subjects)) await subject.run(warmUp);
    for (let i = 0; i < rounds; i++) {
        for (const [subject, { pid, run }] of Object.entries(subjects)) {
            const before = cpuMs(pid);
            await run(requests);
            const after = cpuMs(pid);
            if (before !== null && after !== null) used[subject]?.push(((after - before) * 1000) / requests);
        }
    }

    const ratios = Object.fromEntries(
        names.map((subject) => [subject, (used[subject] ?? []).map((us, i) => us / (used.floor?.[i] ?? Number.NaN))]),
    );
    const others = names.filter((subject) => subject !== 'floor');
    const each = <T>(of: string[], value: (subject: string) => T) =>
        Object.fromEntries(of.map((subject) => [subject, used.floor?.length ? value(subject) : null]));
    return {
        name,
        cpuUs: each(names, (subject) => Math.round(median(used[subject] ?? []))),
        ratios: each(others, (subject) => round(median(ratios[subject] ?? []))),
        spread: each(others, (subject) => {
            const values = ratios[subject] ?? [];
            return { lowest: round(Math.min(...values)), highest: round(Math.max(...values)) };
        }),
    };
}
