import { existsSync } from 'node:fs';
import path from 'node:path';
import { CommandError } from './console.mjs';
import { inProject } from './project.mjs';
import { runWrangler } from './wrangler.mjs';

/**
 * The folder of the local state.
 *
 * @param {string | undefined} persistTo as `npm run dev` takes it
 */
export function stateFolder(persistTo) {
    return persistTo ? path.resolve(persistTo) : inProject('.wrangler', 'state');
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
    if (!existsSync(path.join(state, 'v3', 'd1'))) {
        throw new CommandError(`There is no local database in ${path.relative(process.cwd(), state) || state}.`, [
            'Make it: npm run db:migrate (npm run dev does it, too).',
        ]);
    }
    const args = ['d1', 'execute', 'DB', '--local', '--persist-to', state, '--json', '--command', sql];
    const { code, output } = await runWrangler(args);
    if (code !== 0) throw new CommandError(`The local database could not be asked:\n\n${output.trim()}`);
    /** @type {{ results: Record<string, unknown>[] }[]} */
    const answers = JSON.parse(output.slice(output.indexOf('[')));
    return answers[0]?.results ?? [];
}
