import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, wherever a command was started from. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/**
 * A path below the repository's root.
 *
 * @param {...string} parts
 */
export function inProject(...parts) {
    return path.join(projectRoot, ...parts);
}

/**
 * True when the file was started by `node file`, false when it was imported.
 *
 * @param {string} moduleUrl the file's `import.meta.url`
 */
export function isMain(moduleUrl) {
    return process.argv[1] !== undefined && fileURLToPath(moduleUrl) === realpathSync(process.argv[1]);
}
