import { is } from 'drizzle-orm';
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { schema } from '@/db/schema';

const tables = Object.values(schema)
    .filter((value) => is(value, SQLiteTable))
    .map((table) => getTableConfig(table));

describe.each(tables.map((table) => [table.name, table] as const))('%s', (name, { columns, checks }) => {
    const checked = checks.map((check) => check.name);

    it('holds booleans to 0 and 1', () => {
        const flags = columns.filter((column) => column.dataType === 'boolean');
        expect(checked).toEqual(expect.arrayContaining(flags.map((column) => `${name}_${column.name}_flag`)));
    });

    it('holds words to their list', () => {
        const words = columns.filter((column) => column.enumValues?.length);
        expect(checked).toEqual(expect.arrayContaining(words.map((column) => `${name}_${column.name}_word`)));
    });

    it('holds versions and sequence numbers above zero', () => {
        const counters = columns.filter((column) => /^(seq|.*Seq|version|.*Version|counter)$/.test(column.name));
        expect(checked).toEqual(expect.arrayContaining(counters.map((column) => `${name}_${column.name}_counter`)));
    });

    it('leaves ids and times to the application', () => {
        const clocks = columns.filter((column) => column.hasDefault && /(^id|At)$/.test(column.name));
        expect(clocks).toEqual([]);
    });
});
