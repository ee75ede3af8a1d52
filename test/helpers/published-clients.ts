import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    renameSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { inProject } from '../../scripts/lib/project.mjs';

const project = inProject('test', 'stock', 'published');
const FILES = ['package.json', 'package-lock.json'];
const caches = inProject('node_modules', '.cache');
const PREFIX = 'published-clients-';
const NPM_TIMEOUT_MS = 5 * 60_000;

/** How long a spec that needs the clients waits for them, in ms. */
export const INSTALL_TIMEOUT_MS = 2 * NPM_TIMEOUT_MS;

/** The published clients, unmodified, as npm installs them. */
export interface PublishedClients {
    /** Loads what the package's `/lib` exports; it reads HAPPY_SERVER_URL and HAPPY_HOME_DIR at that moment, once. */
    // The libraries have types of their own, where they are installed.
    // oxlint-disable-next-line typescript/no-explicit-any
    load(name: 'happy' | 'happy-coder'): Promise<any>;
    /** The command of the package. */
    command(name: 'happy' | 'happy-coder'): string;
}

/**
 * Installs the published clients below node_modules/.cache, unless that was done before: with their lockfile, without
 * scripts, without what they never load here (see the overrides; platforms' agent programs are optional dependencies) and
 * without the search tools that they bring for every platform. Some 250 MB come from npm once, 135 MB stay.
 *
 * @throws when npm could not install them
 */
export async function installPublishedClients(): Promise<PublishedClients> {
    const version = createHash('sha256');
    for (const file of FILES) version.update(readFileSync(path.join(project, file)));
    const folder = path.join(caches, PREFIX + version.digest('hex').slice(0, 16));
    mkdirSync(caches, { recursive: true });
    while (!existsSync(folder)) await locked(path.join(caches, 'published-clients.lock'), () => install(folder));
    const packages = path.join(folder, 'node_modules');
    return {
        load: (name) => import(pathToFileURL(path.join(packages, name, 'dist', 'lib.mjs')).href),
        command: (name) => path.join(packages, name, 'bin', 'happy.mjs'),
    };
}

/** Spec files run side by side, and the first installs for all. Waits a moment when another process is at it. */
async function locked(lock: string, work: () => Promise<void>): Promise<void> {
    try {
        writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch {
        if (isAbandoned(lock)) rmSync(lock, { force: true });
        await sleep(200);
        return;
    }
    try {
        await work();
    } finally {
        rmSync(lock, { force: true });
    }
}

/** True when whoever holds the lock was interrupted. */
function isAbandoned(lock: string): boolean {
    try {
        const pid = Number(readFileSync(lock, 'utf8'));
        if (pid > 0) process.kill(pid, 0);
        return false;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ESRCH';
    }
}

async function install(folder: string): Promise<void> {
    if (existsSync(folder)) return;
    const startedAt = Date.now();
    say('Installing the published Happy clients for tests (npm, about 250 MB, once) …');
    // What an interrupted install or an older lockfile left.
    for (const name of readdirSync(caches)) {
        if (name.startsWith(PREFIX)) rmSync(path.join(caches, name), { recursive: true });
    }
    const fresh = mkdtempSync(`${folder}-`);
    try {
        for (const file of FILES) copyFileSync(path.join(project, file), path.join(fresh, file));
        await npmInstall(fresh);
        for (const name of ['happy', 'happy-coder']) {
            rmSync(path.join(fresh, 'node_modules', name, 'tools'), { recursive: true });
        }
        renameSync(fresh, folder);
    } finally {
        rmSync(fresh, { recursive: true, force: true });
    }
    say(`The published Happy clients are installed (${((Date.now() - startedAt) / 1000).toFixed(0)} s).`);
}

async function npmInstall(cwd: string): Promise<void> {
    const args = ['ci', '--ignore-scripts', '--omit=optional', '--omit=peer', '--no-audit', '--no-fund'];
    const child = spawn('npm', [...args, '--loglevel=error', '--fetch-retry-maxtimeout=10000'], {
        cwd,
        stdio: ['ignore', 'ignore', 'pipe'],
        shell: process.platform === 'win32',
        timeout: NPM_TIMEOUT_MS,
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const code = await new Promise((resolve) => {
        child.on('error', ({ message }) => {
            errors += message;
            resolve(1);
        });
        child.on('close', resolve);
    });
    if (code === 0) return;
    throw new Error(
        `npm could not install the published Happy clients, which tests in test/stock drive. They come from the npm registry: ` +
            `is it within reach (proxy: HTTPS_PROXY, mirror: npm_config_registry)? npm said:\n${errors.trim() || 'nothing'}`,
    );
}

/** Straight to the terminal: the runner would show it only when the tests have ended. */
function say(text: string): void {
    process.stderr.write(`${text}\n`);
}
