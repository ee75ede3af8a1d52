import { cloudflareHints } from './cloudflare.mjs';
import { CommandError } from './console.mjs';
import { runWrangler } from './wrangler.mjs';

/**
 * A database: the local one, by the folder of its state, or the one of an environment on Cloudflare.
 *
 * @typedef {{ state: string } | { env: 'dev' | 'prod' }} Database
 */

/**
 * Runs SQL and returns the rows of each statement.
 *
 * @param {Database} database
 * @param {string} sql statements with a semicolon between them
 * @returns {Promise<Record<string, unknown>[][]>}
 * @throws {CommandError} with the database's own words
 */
export async function query(database, sql) {
    const where =
        'state' in database
            ? ['--local', '--persist-to', database.state]
            : ['--remote', '--env', database.env, '--yes'];
    const { code, output, stdout } = await runWrangler(['d1', 'execute', 'DB', ...where, '--json', '--command', sql]);
    if (code !== 0) {
        const name = 'state' in database ? 'The local database' : `The database of ${database.env}`;
        throw new CommandError(`${name} could not be asked:\n\n${output.trim()}`, cloudflareHints(output));
    }
    /** @type {{ results?: Record<string, unknown>[] }[]} */
    const answers = JSON.parse(stdout);
    return answers.map(({ results }) => results ?? []);
}
