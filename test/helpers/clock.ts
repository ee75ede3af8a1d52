import { afterEach, beforeEach, vi } from 'vitest';

/** A clock that moves only when it is told to. */
export interface Clock {
    advance(ms: number): void;
    /** Sets the milliseconds within the current second, for what counts in whole seconds. */
    setMillisecond(ms: number): void;
}

/** Holds `Date`, and with it `ctx.now()`, for every test of the block; timers and I/O run on. */
export function holdClock(): Clock {
    beforeEach(() => {
        // Not by fake timers: with them, everything that waits would move the clock with each look.
        vi.setSystemTime(Date.now());
    });
    afterEach(() => {
        vi.useRealTimers();
    });
    return {
        advance: (ms) => vi.setSystemTime(Date.now() + ms),
        setMillisecond: (ms) => vi.setSystemTime(Date.now() - (Date.now() % 1000) + ms),
    };
}
