import { stripVTControlCharacters } from 'node:util';
import { cloudflare } from './cloudflare.mjs';

const APPLY = ['d1', 'migrations', 'apply', 'DB'];

/**
 * Applies the migrations that the local database lacks.
 *
 * @param {string} state the folder it is in
 * @returns {Promise<string>} what was done, in a sentence
 */
export async function migrateLocal(state) {
    return summary(
        await cloudflare([...APPLY, '--local', '--persist-to', state], 'The migrations could not be applied'),
    );
}

/**
 * Applies the migrations that the database of an environment lacks.
 *
 * @param {import('./environment.mjs').Environment} environment
 * @returns {Promise<string>} what was done, in a sentence
 */
export async function migrateRemote({ name, databaseName }) {
    const purpose = `The migrations could not be applied to ${databaseName}`;
    return summary(await cloudflare([...APPLY, '--remote', '--env', name], purpose));
}

/** @param {string} output wrangler's table has a line for every migration it applied */
function summary(output) {
    const applied = [...stripVTControlCharacters(output).matchAll(/(\S+\.sql)\s*│\s*✅/g)].map(([, name]) => name);
    return applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'No migration was missing.';
}
