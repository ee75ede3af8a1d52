import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync, utimesSync } from 'node:fs';
import { CommandError, say } from './console.mjs';
import { inProject } from './project.mjs';

/** Yarn's own package, run through npx where no Yarn 4 is installed. */
const yarnPackage = '@yarnpkg/cli-dist@4.18.1';

/** Yarn writes this file at the end of an install; without it, it refuses to run a script. */
const stateFile = inProject('node_modules', '.yarn-state.yml');

/**
 * Why dependencies have to be installed, or null when they are in place.
 *
 * @param {string} [state] Yarn's state file
 * @param {string[]} [sources] the files it must not be older than
 */
export function staleReason(state = stateFile, sources = [inProject('yarn.lock'), inProject('package.json')]) {
    if (!existsSync(state)) {
        return 'they are not installed yet';
    }
    const installedAt = statSync(state).mtimeMs;
    const newer = sources.find((source) => existsSync(source) && statSync(source).mtimeMs > installedAt);
    return newer ? `${newer.split(/[\\/]/).pop()} changed since the last install` : null;
}

/** The command that installs: a Yarn 4 on the PATH, else npx, which every Node.js brings along. */
function installCommand() {
    // A corepack shim would ask before it downloads, and wait for an answer.
    const env = { ...process.env, COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' };
    const shell = process.platform === 'win32';
    const found = spawnSync('yarn', ['--version'], { encoding: 'utf8', env, shell, timeout: 10_000 });
    const major = found.status === 0 ? Number.parseInt(found.stdout, 10) : 0;
    return major >= 4
        ? { command: 'yarn', args: ['install', '--immutable'], name: `Yarn ${found.stdout.trim()}` }
        : { command: 'npx', args: ['-y', yarnPackage, 'install', '--immutable'], name: `npx ${yarnPackage}` };
}

/**
 * Runs a command, shows its output as it comes and returns it.
 *
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function runShowing(command, args) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, {
            cwd: inProject(),
            stdio: ['ignore', 'pipe', 'pipe'],
            shell: process.platform === 'win32',
        });
        let output = '';
        /** @param {Buffer} chunk */
        const collect = (chunk) => {
            output += chunk.toString('utf8');
            process.stdout.write(chunk);
        };
        child.stdout.on('data', collect);
        child.stderr.on('data', collect);
        child.on('error', reject);
        child.on('close', (code) => {
            resolve({ code, output });
        });
    });
}

/**
 * What to do about a failed install, read from what the installer printed.
 *
 * @param {string} output
 * @returns {string[]}
 */
export function installHints(output) {
    const again = 'Then run the same command again; what was fetched already is kept.';
    if (/YN0028|lockfile would have been modified/i.test(output)) {
        return [
            'package.json and yarn.lock do not belong together.',
            `If you changed dependencies on purpose: npx -y ${yarnPackage} install, and commit yarn.lock with package.json.`,
            'If you did not: restore both files from git.',
        ];
    }
    if (/EACCES|EPERM|EROFS|permission denied/i.test(output)) {
        return [
            `This user may not write to ${inProject('node_modules')} or to its cache folder.`,
            'Give the folders to your user (chown), or clone the repository to a place that is yours; sudo is not needed.',
        ];
    }
    if (/ENOSPC|no space left/i.test(output)) {
        return ['The disk is full: about 600 MB are needed.', again];
    }
    if (/YN0018|checksum/i.test(output)) {
        return [
            'A downloaded package is not the one yarn.lock knows: the cache or a mirror may be damaged.',
            `npx -y ${yarnPackage} cache clean --all`,
            again,
        ];
    }
    if (/ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|E?TIMEOUT|RequestError|YN0035|CERT|E50[0-9]|E40[0-9]/i.test(output)) {
        return [
            'The package registry could not be reached, or did not answer as expected.',
            'Check the network. Behind a proxy set HTTPS_PROXY (npm) and YARN_HTTPS_PROXY (Yarn).',
            'With a mirror set npm_config_registry (npm) and YARN_NPM_REGISTRY_SERVER (Yarn) to its address.',
            again,
        ];
    }
    return ['The lines above say why.', 'Remove node_modules and try again if the folder may be damaged.'];
}

/**
 * Installs dependencies when they are missing or stale; silent and quick when they are not.
 *
 * @throws {CommandError} when the install fails, with what to do about it
 */
export async function ensureDependencies() {
    const reason = staleReason();
    if (reason === null) {
        return;
    }
    const { command, args, name } = installCommand();
    const startedAt = Date.now();
    say(`Installing dependencies, since ${reason} (${name}, about 20 s the first time) …`);
    const { code, output } = await runShowing(command, args).catch((/** @type {Error} */ error) => ({
        code: 1,
        output: error.message,
    }));
    if (code !== 0 || !existsSync(stateFile)) {
        throw new CommandError(
            `Dependencies could not be installed (${command} ${args.join(' ')}).`,
            installHints(output),
        );
    }
    // Yarn leaves the file alone when nothing changed, and the next command would install again.
    const now = new Date();
    utimesSync(stateFile, now, now);
    say(`Dependencies are installed (${((Date.now() - startedAt) / 1000).toFixed(0)} s).\n`);
}
