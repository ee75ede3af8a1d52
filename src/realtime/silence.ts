/** Watches for objects that fall silent, by an alarm that is pending only while something of the account is active. */
export interface SilenceWatch {
    /** Something is active, so some time it may fall silent. */
    expect(): void;
    /** Something has ended: perhaps nothing is active any more, and then no alarm must stay. */
    reconsider(): void;
    /** Runs the sweep; what the alarm calls. */
    sweep(): Promise<void>;
}

interface Options {
    /** When the sweep is due, Unix ms; null for not at all. */
    get(): number | null;
    set(at: number | null): void;
    /** Ends what is silent; answers when the next object could be due, null when none is active. */
    sweep(): Promise<number | null>;
    now(): number;
    silenceMs: number;
}

/** How long `reconsider` waits for more to end, in ms: one sweep for all of it. */
const SETTLE_MS = 1_000;

/** Creates the watch over one alarm. */
export function createSilenceWatch({ get, set, sweep, now, silenceMs }: Options): SilenceWatch {
    // Counts what was heard: a sweep that read the database before it must not call the alarm off.
    let heard = 0;
    return {
        expect() {
            heard += 1;
            if (get() === null) set(now() + silenceMs);
        },
        reconsider() {
            heard += 1;
            const soon = now() + SETTLE_MS;
            const at = get();
            if (at !== null && at > soon) set(soon);
        },
        async sweep() {
            const before = heard;
            set(now() + silenceMs);
            const nextAt = await sweep();
            if (heard === before) set(nextAt);
            // Something began or ended meanwhile: whichever it was, one more look settles it.
            else set(now() + SETTLE_MS);
        },
    };
}
