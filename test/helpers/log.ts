import { afterEach, beforeEach, vi } from 'vitest';
import type { MockInstance } from 'vitest';

/** Keeps the error lines of each test of the block instead of printing them: what they tell is for the test to check. */
export function keepErrorLog(): string[] {
    const lines: string[] = [];
    let spy: MockInstance;
    beforeEach(() => {
        lines.length = 0;
        spy = vi.spyOn(console, 'error').mockImplementation((line: string) => lines.push(line));
    });
    afterEach(() => {
        spy.mockRestore();
    });
    return lines;
}
