import { existsSync } from 'node:fs';
import path from 'node:path';
import { CommandError } from './console.mjs';
import { query } from './d1.mjs';
import { inProject } from './project.mjs';

/**
 * The folder of the local state.
 *
 * @param {string | undefined} persistTo as `npm run dev` takes it
 */
export function stateFolder(persistTo) {
    return persistTo ? path.resolve(persistTo) : inProject('.wrangler', 'state');
}

/**
 * A path as the person at the keyboard would type it.
 *
 * @param {string} file
 */
export function shownPath(file) {
    const relative = path.relative(process.cwd(), file);
    return relative.startsWith('..') ? file : relative || '.';
}

/**
 * @param {string} state
 * @throws {CommandError} when there is no database
 */
export function requireLocalDatabase(state) {
    if (existsSync(path.join(state, 'v3', 'd1'))) return;
    throw new CommandError(`There is no local database in ${shownPath(state)}.`, [
        'Make it: npm run db:migrate (npm run dev does it, too).',
        'If it is elsewhere: --persist-to DIR, as for npm run dev.',
    ]);
}

/**
 * Runs SQL on the local database, which a running dev server may have open too.
 *
 * @param {string} sql one statement
 * @param {string} state its folder
 * @returns {Promise<Record<string, unknown>[]>}
 * @throws {CommandError} when there is no database, or SQLite refuses
 */
export async function queryLocal(sql, state) {
    requireLocalDatabase(state);
    const [rows] = await query({ state }, sql);
    return rows ?? [];
}
