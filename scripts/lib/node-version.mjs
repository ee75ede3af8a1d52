import { CommandError } from './console.mjs';

/** The oldest Node.js that everything here runs on. */
export const minimumNode = '20.19.0';

/**
 * True when `version` is at least `minimum`; both are plain `major.minor.patch`.
 *
 * @param {string} version
 * @param {string} [minimum]
 */
export function isSupportedNode(version, minimum = minimumNode) {
    const have = version.split('.').map((part) => Number.parseInt(part, 10));
    const need = minimum.split('.').map((part) => Number.parseInt(part, 10));
    const differing = need.findIndex((part, index) => have[index] !== part);
    return differing === -1 || (have[differing] ?? 0) > (need[differing] ?? 0);
}

/**
 * Stops a command on a Node.js that is too old, before anything fails in a less readable way.
 *
 * @throws {CommandError}
 */
export function requireSupportedNode() {
    const version = process.versions.node;
    if (!isSupportedNode(version)) {
        throw new CommandError(`This project needs Node.js ${minimumNode} or newer; this is ${version}.`, [
            'Install a current release from https://nodejs.org, or with a version manager: nvm install 22, fnm install 22, volta install node@22.',
            'If several are installed, check which one comes first on the PATH: node --version',
        ]);
    }
}
