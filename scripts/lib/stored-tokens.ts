import { query } from './d1.mjs';
import { quote } from './reencrypt';
import type { StoredToken } from './reencrypt';

type Database = Parameters<typeof query>[0];

/** Rows of each table in one question. */
const PAGE = 200;
/** Longest text of statements in one command: Windows takes 32 KB; one statement may be longer. */
const MAX_COMMAND = 24_000;

/** Every token that the database keeps encrypted. */
export async function readTokens(database: Database): Promise<StoredToken[]> {
    const tokens: StoredToken[] = [];
    const after = new Map<StoredToken['table'], string>();
    const since = (table: StoredToken['table']) => quote(after.get(table) ?? '');
    for (;;) {
        const pages = await query(
            database,
            `SELECT 'ServiceAccountToken' AS "table", id, accountId, vendor, hex(token) AS token
             FROM ServiceAccountToken WHERE id > ${since('ServiceAccountToken')} ORDER BY id LIMIT ${PAGE};
             SELECT 'GithubUser' AS "table", g.id, a.id AS accountId, NULL AS vendor, hex(g.token) AS token
             FROM GithubUser g LEFT JOIN Account a ON a.githubUserId = g.id
             WHERE g.id > ${since('GithubUser')} AND g.token IS NOT NULL ORDER BY g.id LIMIT ${PAGE}`,
        );
        const rows = pages.flat().map(asToken);
        tokens.push(...rows);
        for (const { table, id } of rows) after.set(table, id);
        if (pages.every((page) => page.length < PAGE)) return tokens;
    }
}

/** Runs statements, as many at once as fit into a command. */
export async function runStatements(database: Database, statements: readonly string[]): Promise<void> {
    let command = '';
    for (const statement of statements) {
        if (command && command.length + statement.length > MAX_COMMAND) {
            await query(database, command);
            command = '';
        }
        command += `${statement};\n`;
    }
    if (command) await query(database, command);
}

function asToken(row: Record<string, unknown>): StoredToken {
    return {
        table: row.table as StoredToken['table'],
        id: String(row.id),
        accountId: row.accountId as string | null,
        vendor: row.vendor as string | null,
        bytes: new Uint8Array(Buffer.from(String(row.token), 'hex')),
    };
}
