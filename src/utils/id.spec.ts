import { describe, expect, it } from 'vitest';
import { createId } from '@/utils/id';

describe('createId', () => {
    it('is 25 characters that need no escaping anywhere', () => {
        for (let i = 0; i < 1000; i += 1) expect(createId()).toMatch(/^c[0-9a-z]{24}$/);
    });

    it('sorts by the millisecond it was made in', () => {
        const times = [0, 1, 35, 36, 1_000_000_000_000, 1_700_000_000_000, 1_700_000_000_001, 2_800_000_000_000];
        const ids = times.map((time) => createId(time));
        expect(ids.toSorted()).toEqual(ids);
    });

    it('repeats none within a millisecond', () => {
        expect(new Set(Array.from({ length: 10_000 }, () => createId(1))).size).toBe(10_000);
    });

    it('uses every character about as often', () => {
        const counts = new Map<string, number>();
        for (let i = 0; i < 4000; i += 1)
            for (const char of createId(1).slice(9)) counts.set(char, (counts.get(char) ?? 0) + 1);
        // 64,000 characters over 36: 1,778 each, with a standard deviation of 42.
        expect(counts.size).toBe(36);
        for (const count of counts.values()) expect(Math.abs(count - 64_000 / 36)).toBeLessThan(300);
    });

    it('takes times that are odd', () => {
        expect(createId(-5)).toMatch(/^c00000000/);
        expect(createId(1.9).slice(0, 9)).toBe('c00000001');
    });
});
