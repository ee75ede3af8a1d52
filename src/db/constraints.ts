import { getTableName, sql } from 'drizzle-orm';
import { check } from 'drizzle-orm/sqlite-core';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';

const constraintName = (column: SQLiteColumn, suffix: string) =>
    `${getTableName(column.table)}_${column.name}_${suffix}`;

/** Keeps a boolean column to 0 and 1: SQLite has no boolean type of its own. */
export const flagCheck = (column: SQLiteColumn) =>
    check(constraintName(column, 'flag'), sql`${sql.identifier(column.name)} in (0, 1)`);

/** Keeps a version, sequence number or amount from going below zero. */
export const counterCheck = (column: SQLiteColumn) =>
    check(constraintName(column, 'counter'), sql`${sql.identifier(column.name)} >= 0`);

/** Keeps a text column to a closed list of words: PostgreSQL's enum types, in SQLite. */
export const wordCheck = (column: SQLiteColumn, words: readonly string[]) =>
    check(
        constraintName(column, 'word'),
        sql`${sql.identifier(column.name)} in (${sql.raw(words.map((word) => `'${word}'`).join(', '))})`,
    );
