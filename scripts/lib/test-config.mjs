import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inProject, projectRoot } from './project.mjs';

/** What wrangler.toml names by a path relative to itself. */
const RELATIVE_PATHS = /^(main|directory|migrations_dir) = "([^"]+)"$/gm;

/**
 * Writes wrangler.toml anew into a folder of its own, for tests: wrangler takes variables from the .dev.vars (or .env)
 * beside the configuration, and what a developer has there must not decide how tests end.
 *
 * @param {string} [root] the folder of wrangler.toml
 * @param {string} [folder] where the copy goes; it has no .dev.vars and no .env
 * @returns {string} the copy's path
 */
export function writeTestConfig(root = projectRoot, folder = inProject('dist', 'test')) {
    mkdirSync(folder, { recursive: true });
    const text = readFileSync(path.join(root, 'wrangler.toml'), 'utf8').replace(
        RELATIVE_PATHS,
        (_, name, file) => `${name} = ${JSON.stringify(path.join(root, file))}`,
    );
    const copy = path.join(folder, 'wrangler.toml');
    writeFileSync(copy, text);
    return copy;
}
