import { cloudflare, wranglerError } from './cloudflare.mjs';
import { CommandError } from './console.mjs';
import { writeDatabaseId } from './environment.mjs';
import { runWrangler } from './wrangler.mjs';

/** @typedef {import('./environment.mjs').Environment} Environment */

/**
 * The id of the account's database of that name, or null.
 *
 * @param {string} databaseName
 * @returns {Promise<string | null>}
 */
async function findDatabase(databaseName) {
    /** @type {{ name: string, uuid: string }[]} */
    const databases = JSON.parse(await cloudflare(['d1', 'list', '--json'], 'The databases could not be listed'));
    return databases.find(({ name }) => name === databaseName)?.uuid ?? null;
}

/**
 * Makes the database of an environment if the account has none of its name, and puts its id into wrangler.toml.
 *
 * @param {Environment} environment
 * @returns {Promise<{ id: string, made: boolean }>}
 */
export async function ensureDatabase({ databaseName }) {
    const found = await findDatabase(databaseName);
    if (!found) await cloudflare(['d1', 'create', databaseName], `${databaseName} could not be made`);
    const id = found ?? (await findDatabase(databaseName));
    if (!id) throw new CommandError(`${databaseName} was made, but is not listed.`, ['Run the same command again.']);
    writeDatabaseId(databaseName, id);
    return { id, made: !found };
}

/**
 * Makes the bucket of an environment if the account has none of its name.
 *
 * @param {Environment} environment
 * @returns {Promise<{ made: boolean }>}
 */
export async function ensureBucket({ bucket }) {
    const args = ['r2', 'bucket', 'info', bucket];
    const { code, output } = await runWrangler(args);
    if (code === 0) return { made: false };
    // 10006: no such bucket. Anything else is no reason to make one.
    if (!/code: 10006\]|does not exist/i.test(output)) throw wranglerError(args, `${bucket} could not be seen`, output);
    await cloudflare(['r2', 'bucket', 'create', bucket], `${bucket} could not be made`);
    return { made: true };
}
