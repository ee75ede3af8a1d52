import { readFileSync, writeFileSync } from 'node:fs';
import { CommandError } from './console.mjs';
import { inProject } from './project.mjs';

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
 * @property {string[]} variables names that wrangler.toml itself sets
 */

/**
 * Reads an environment of wrangler.toml.
 *
 * @param {'dev' | 'prod'} name
 * @param {string} [file]
 * @returns {Promise<Environment>}
 * @throws {CommandError} when it lacks what every environment has
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
        variables: Object.keys(config.vars),
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
        new RegExp(`(database_name = "${databaseName}"\\r?\\ndatabase_id = ")${PLACEHOLDER}"`),
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
 * The database id of an environment.
 *
 * @param {Environment} environment
 * @returns {string}
 * @throws {CommandError} saying how to get one
 */
export function requireDatabaseId({ name, databaseName, databaseId }) {
    if (databaseId) return databaseId;
    throw new CommandError(`wrangler.toml has no database id for [env.${name}].`, [
        `Make ${databaseName} and let its id be written there: npm run ${name === 'prod' ? 'db:create:prod' : 'db:create'}`,
    ]);
}
