import { describe, expect, it } from 'vitest';
import { acceptedDifferences } from '@/db/accepted-differences';
import { checkExplanations, compareSchemas } from '@/db/compare';
import type { NodeSchema, NodeTable } from '@/db/compare';
import { schema } from '@/db/schema';
import nodeSchema from '@test/fixtures/node-schema.json';

/** Differences that appear once the Node server's table reads as `change` leaves it. */
const differencesAfter = (table: string, change: (table: NodeTable) => void) => {
    const changed: NodeSchema = structuredClone(nodeSchema);
    change(changed.tables.find((entry) => entry.table === table)!);
    return checkExplanations(compareSchemas(changed, schema), acceptedDifferences).unexplained;
};

describe('the schema against the Node server', () => {
    it('has all 20 tables', () => {
        expect(nodeSchema.tables).toHaveLength(20);
        expect(compareSchemas(nodeSchema, schema).filter((line) => line.endsWith(': - table'))).toEqual([]);
    });

    it('differs only where a reason is given, and every reason still explains something', () => {
        expect(checkExplanations(compareSchemas(nodeSchema, schema), acceptedDifferences)).toEqual({
            unexplained: [],
            stale: [],
        });
    });

    it('explains no line twice', () => {
        const lines = acceptedDifferences.flatMap((table) => table.lines.map((line) => `${table.table}: ${line}`));
        expect(lines).toEqual([...new Set(lines)]);
    });
});

describe('compareSchemas', () => {
    it('sees a column that is missing here', () => {
        const added = (table: NodeTable) => table.columns.push({ name: 'mood', type: 'String', nullable: true });
        expect(differencesAfter('Session', added)).toEqual(['Session: - column mood: text null']);
    });

    it('sees another type, nullability or default', () => {
        const changed = (table: NodeTable) =>
            Object.assign(
                table.columns.find(({ name }) => name === 'seq')!,
                { default: '1' },
            );
        expect(differencesAfter('Artifact', changed)).toEqual([
            'Artifact: - column seq: integer not null default 1',
            'Artifact: + column seq: integer not null default 0',
        ]);
    });

    it('sees another list of words', () => {
        const changed = (table: NodeTable) => table.columns.find(({ name }) => name === 'status')!.enum!.pop();
        expect(differencesAfter('UserRelationship', changed)[0]).toBe(
            'UserRelationship: - column status: one of none|requested|pending|friend not null default pending',
        );
    });

    it('sees another key', () => {
        const changed = (table: NodeTable) => (table.unique = [['token']]);
        expect(differencesAfter('AccountPushToken', changed)).toEqual([
            'AccountPushToken: - unique (token)',
            'AccountPushToken: + unique (accountId, token)',
        ]);
    });

    it('sees another on-delete', () => {
        const changed = (table: NodeTable) => (table.foreignKeys[0]!.onDelete = 'SetNull');
        expect(differencesAfter('UserKVStore', changed)).toEqual([
            'UserKVStore: - foreign key (accountId) to Account (id) on delete set null',
            'UserKVStore: + foreign key (accountId) to Account (id) on delete cascade',
        ]);
    });

    it('sees a table that is missing here', () => {
        expect(compareSchemas({ tables: [{ ...nodeSchema.tables[0]!, table: 'Mood' }] }, {})).toEqual([
            'Mood: - table',
        ]);
    });
});

describe('checkExplanations', () => {
    it('names an explanation that explains nothing', () => {
        const accepted = [{ table: 'Session', lines: ['- index (tag)'], reason: 'once true' }];
        expect(checkExplanations([], accepted)).toEqual({ unexplained: [], stale: ['Session: - index (tag)'] });
    });
});
