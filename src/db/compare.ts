import { is, SQL } from 'drizzle-orm';
import { getTableConfig, SQLiteSyncDialect, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { ForeignKey, Index, SQLiteColumn } from 'drizzle-orm/sqlite-core';

/** A column of the Node server; `default` is a literal or one of Prisma's functions. */
export interface NodeColumn {
    name: string;
    type: string;
    nullable: boolean;
    default?: string;
    enum?: string[];
}

/** A table of the Node server; keys are lists of column names. */
export interface NodeTable {
    table: string;
    columns: NodeColumn[];
    primaryKey: string[];
    unique: string[][];
    index: string[][];
    foreignKeys: { columns: string[]; table: string; references: string[]; onDelete: string }[];
}

/** The Node server's schema as facts: `test/fixtures/node-schema.json`. */
export interface NodeSchema {
    tables: NodeTable[];
}

/** Differences that are wanted, and why: `lines` as `compareSchemas` writes them, without the table's name. */
export interface AcceptedDifference {
    table: string;
    lines: string[];
    reason: string;
}

const typeNames: Record<string, string> = {
    String: 'text',
    Int: 'integer',
    BigInt: 'integer',
    DateTime: 'integer',
    Boolean: 'boolean',
    Json: 'json',
    Bytes: 'bytes',
    string: 'text',
    number: 'integer',
    boolean: 'boolean',
    json: 'json',
    custom: 'bytes',
};

/** Ids and times come from the application here, so Prisma's functions for them are no facts of the database. */
const applicationDefaults = ['cuid()', 'now()', 'updatedAt'];

interface ColumnFacts {
    name: string;
    type: string;
    words: readonly string[] | undefined;
    nullable: boolean;
    default: string | undefined;
}

const columnFact = (column: ColumnFacts) =>
    [
        `column ${column.name}:`,
        column.words?.length ? `one of ${column.words.join('|')}` : column.type,
        column.nullable ? 'null' : 'not null',
        ...(column.default === undefined ? [] : [`default ${column.default}`]),
    ].join(' ');

const listFact = (kind: string, columns: string[]) => `${kind} (${columns.join(', ')})`;

const foreignKeyFact = (columns: string[], table: string, references: string[], onDelete: string) =>
    `foreign key (${columns.join(', ')}) to ${table} (${references.join(', ')}) on delete ${onDelete}`;

const describeNodeTable = (table: NodeTable): string[] => [
    ...table.columns.map((column) =>
        columnFact({
            name: column.name,
            type: typeNames[column.type] ?? column.type,
            words: column.enum,
            nullable: column.nullable,
            default: applicationDefaults.includes(column.default ?? '') ? undefined : column.default,
        }),
    ),
    listFact('primary key', table.primaryKey),
    ...table.unique.map((columns) => listFact('unique', columns)),
    ...table.index.map((columns) => listFact('index', columns)),
    ...table.foreignKeys.map((key) =>
        // Prisma writes SetNull, SQL set null.
        foreignKeyFact(
            key.columns,
            key.table,
            key.references,
            key.onDelete.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase(),
        ),
    ),
];

const dialect = new SQLiteSyncDialect();
const toText = (part: SQL | SQLiteColumn) =>
    is(part, SQL) ? dialect.sqlToQuery(part, 'indexes').sql.replaceAll('"', '') : part.name;

const describeIndex = ({ config }: Index) =>
    listFact(config.unique ? 'unique' : 'index', config.columns.map(toText)) +
    (config.where ? ` where ${toText(config.where)}` : '');

const describeForeignKey = (key: ForeignKey) => {
    const { columns, foreignTable, foreignColumns } = key.reference();
    const names = (list: SQLiteColumn[]) => list.map((column) => column.name);
    return foreignKeyFact(
        names(columns),
        getTableConfig(foreignTable).name,
        names(foreignColumns),
        key.onDelete ?? 'no action',
    );
};

const describeTable = (table: SQLiteTable): string[] => {
    const config = getTableConfig(table);
    const primary = config.primaryKeys[0]?.columns ?? config.columns.filter((column) => column.primary);
    return [
        ...config.columns.map((column) =>
            columnFact({
                name: column.name,
                type: typeNames[column.dataType] ?? column.dataType,
                words: column.enumValues,
                nullable: !column.notNull,
                default: column.default === undefined ? undefined : String(column.default),
            }),
        ),
        listFact(
            'primary key',
            primary.map((column) => column.name),
        ),
        ...config.indexes.map(describeIndex),
        ...config.foreignKeys.map(describeForeignKey),
    ];
};

/**
 * Holds the Drizzle schema against the Node server's, field by field (contract 9).
 *
 * @returns one line per difference, like a diff: `Session: - index (tag)` stands in the Node schema only, `+` here only
 */
export const compareSchemas = (node: NodeSchema, schema: Record<string, unknown>): string[] => {
    const theirs = new Map(node.tables.map((table) => [table.table, describeNodeTable(table)]));
    const ours = new Map(
        Object.values(schema)
            .filter((value) => is(value, SQLiteTable))
            .map((table) => [getTableConfig(table).name, describeTable(table)]),
    );
    return [...new Set([...theirs.keys(), ...ours.keys()])].flatMap((name) => {
        const before = theirs.get(name);
        const after = ours.get(name);
        if (!before) return [`${name}: + table`];
        if (!after) return [`${name}: - table`];
        return [
            ...before.filter((fact) => !after.includes(fact)).map((fact) => `${name}: - ${fact}`),
            ...after.filter((fact) => !before.includes(fact)).map((fact) => `${name}: + ${fact}`),
        ];
    });
};

/** Which differences nobody explained, and which explanations explain nothing any more. Both must be empty. */
export const checkExplanations = (differences: string[], accepted: AcceptedDifference[]) => {
    const explained = accepted.flatMap(({ table, lines }) => lines.map((line) => `${table}: ${line}`));
    return {
        unexplained: differences.filter((line) => !explained.includes(line)),
        stale: explained.filter((line) => !differences.includes(line)),
    };
};
