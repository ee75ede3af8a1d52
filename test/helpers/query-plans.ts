import { statements } from '@test/helpers/database';

/**
 * Statements of this test file that walk a whole table, with the line of their plan. Lists passed as `json_each(?)` and
 * constant rows have no table to walk.
 */
export async function findUnindexed(db: D1Database): Promise<string[]> {
    const found: string[] = [];
    for (const { sql, parameters } of statements.values()) {
        if (!/^\s*(select|insert|update|delete|with)/i.test(sql)) continue;
        const tables = tableNames(sql);
        const plan = await db
            .prepare(`EXPLAIN QUERY PLAN ${sql}`)
            .bind(...Array.from({ length: parameters }, () => null))
            .all<{ detail: string }>();
        for (const { detail } of plan.results) {
            const scanned = /^SCAN (\S+)(?! VIRTUAL)/.exec(detail)?.[1];
            if (scanned !== undefined && tables.has(scanned)) found.push(`${detail}\n    in ${sql}`);
        }
    }
    return found;
}

/** Names and aliases under which a plan can speak of the real tables of a statement (Drizzle quotes them). */
function tableNames(sql: string): Set<string> {
    const names = new Set<string>();
    for (const [, table, alias] of sql.matchAll(
        /(?:from|join|into|update|,)\s+"(\w+)"(?:\s+(?:as\s+)?"?([a-z]\w*)"?)?/gi,
    )) {
        if (table && /^[A-Z]/.test(table)) names.add(table);
        if (table && /^[A-Z]/.test(table) && alias) names.add(alias);
    }
    return names;
}
