import { readFileSync, writeFileSync } from 'node:fs';
import { CommandError } from './console.mjs';
import { inProject } from './project.mjs';
import { runWrangler } from './wrangler.mjs';

const PLACEHOLDER = 'REPLACE_WITH_YOUR_DATABASE_ID';

/**
 * What wrangler.toml says of an environment on Cloudflare.
 *
 * @typedef {object} Environment
 * @property {'dev' | 'prod'} name
 * @property {string} worker
 * @property {string} databaseName
 * @property {string | null} databaseId null until the database was made
 * @property {string} bucket
 */

/**
 * Reads an environment of wrangler.toml.
 *
 * @param {'dev' | 'prod'} name
 * @param {string} [file]
 * @returns {Promise<Environment>}
 */
export async function readEnvironment(name, file = inProject('wrangler.toml')) {
    const { unstable_readConfig: readConfig } = await import('wrangler');
    const config = readConfig({ config: file, env: name }, { hideWarnings: true });
    const database = config.d1_databases.find((/** @type {{ binding: string }} */ { binding }) => binding === 'DB');
    const bucket = config.r2_buckets.find((/** @type {{ binding: string }} */ { binding }) => binding === 'UPLOADS');
    if (!config.name || !database?.database_name || !bucket?.bucket_name) {
        throw new CommandError(`wrangler.toml lacks the name, the database DB or the bucket UPLOADS of [env.${name}].`);
    }
    const id = database.database_id;
    return {
        name,
        worker: config.name,
        databaseName: database.database_name,
        databaseId: id && id !== PLACEHOLDER ? id : null,
        bucket: bucket.bucket_name,
    };
}

/**
 * Puts a database's id into wrangler.toml, in place of the placeholder, where its name stands.
 *
 * @param {string} databaseName
 * @param {string} id
 * @param {string} [file]
 * @throws {CommandError} when the place is not found
 */
export function writeDatabaseId(databaseName, id, file = inProject('wrangler.toml')) {
    const text = readFileSync(file, 'utf8');
    const next = text.replace(
        new RegExp(`(database_name = "${databaseName}"\\ndatabase_id = ")${PLACEHOLDER}"`),
        (_, before) => `${before}${id}"`,
    );
    if (next === text) {
        throw new CommandError(`wrangler.toml has no placeholder for the id of ${databaseName}.`, [
            `Write it there yourself: database_id = "${id}"`,
        ]);
    }
    writeFileSync(file, next);
}

/**
 * Makes sure that wrangler may act for somebody.
 *
 * @throws {CommandError} saying how to log in
 */
export async function requireLogin() {
    if (process.env.CLOUDFLARE_API_TOKEN) return;
    const { output } = await runWrangler(['whoami']);
    if (!output.includes('You are logged in')) {
        throw new CommandError('Nobody is logged in to Cloudflare.', [
            'At your own machine: npx wrangler login',
            'Elsewhere: set CLOUDFLARE_API_TOKEN, and CLOUDFLARE_ACCOUNT_ID if the token can see several accounts.',
        ]);
    }
}

/**
 * Runs wrangler against Cloudflare and returns what it printed.
 *
 * @param {string[]} args
 * @param {string} purpose what for, as in "The database could not be made"
 * @throws {CommandError} with wrangler's own words
 */
export async function cloudflare(args, purpose) {
    const { code, output } = await runWrangler(args);
    if (code !== 0) throw new CommandError(`${purpose} (wrangler ${args.join(' ')}):\n\n${output.trim()}`);
    return output;
}

/**
 * The id of the account's database of that name, or null.
 *
 * @param {string} databaseName
 */
export async function findDatabase(databaseName) {
    const output = await cloudflare(['d1', 'list', '--json'], 'The databases could not be listed');
    /** @type {{ name: string, uuid: string }[]} */
    const databases = JSON.parse(output.slice(output.indexOf('[')));
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
    if (!found) await cloudflare(['d1', 'create', databaseName], 'The database could not be made');
    const id = found ?? (await findDatabase(databaseName));
    if (!id) throw new CommandError(`${databaseName} was made, but is not listed.`, ['Run the same command again.']);
    writeDatabaseId(databaseName, id);
    return { id, made: !found };
}
