import { Buffer } from 'node:buffer';
import { is, SQL } from 'drizzle-orm';
import { SQLiteSyncDialect, sqliteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { bytes } from '@/db/columns';

const { value: column } = sqliteTable('Box', { value: bytes('value') });
const sample = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

describe('bytes', () => {
    it.each([
        ['an array of numbers, as D1 sends it', [0, 127, 255]],
        ['an ArrayBuffer', Uint8Array.of(0, 127, 255).buffer],
        ['a view', Uint8Array.of(0, 127, 255)],
    ])('reads %s', (_, stored) => {
        expect(column.mapFromDriverValue(stored)).toEqual(Uint8Array.of(0, 127, 255));
    });

    it('writes small values as they are', () => {
        const value = sample(16_384);
        expect(column.mapToDriverValue(value)).toBe(value);
    });

    it.each([16_385, 900_000, 900_001, 1_900_000])('writes %i bytes as hex, in parameters below 2 MB', (length) => {
        const whole = sample(length + 7);
        const written: unknown = column.mapToDriverValue(whole.subarray(7));
        if (!is(written, SQL)) throw new Error('expected SQL');
        const { sql, params } = new SQLiteSyncDialect().sqlToQuery(written);
        expect(sql).toMatch(/^cast\(unhex\(\?\)( \|\| unhex\(\?\))* as blob\)$/);
        expect(params.every((param) => String(param).length < 2_000_000)).toBe(true);
        expect(Buffer.from(params.join(''), 'hex').equals(whole.subarray(7))).toBe(true);
    });
});
