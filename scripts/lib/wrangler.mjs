import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProject } from './project.mjs';

/**
 * Environment for every wrangler run from a script: no telemetry, no question asked, no lookup of newer versions or
 * of Cloudflare's own servers, so that it works the same without a network.
 */
const quietEnv = {
    WRANGLER_SEND_METRICS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_HIDE_BANNER: 'true',
};

const windows = process.platform === 'win32';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Once stopping has begun, nothing new may start behind its back. */
let isStopping = false;

/**
 * Starts wrangler without a shell and without a terminal. On POSIX it leads a process group of its own, so that
 * a signal reaches the processes it starts in turn (its own CLI, workerd, the build).
 *
 * @param {string[]} args
 */
export function spawnWrangler(args) {
    if (isStopping) {
        throw new Error('This command is being stopped.');
    }
    const child = spawn(process.execPath, [inProject('node_modules', 'wrangler', 'bin', 'wrangler.js'), ...args], {
        cwd: inProject(),
        env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...quietEnv },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: !windows,
    });
    running.add(child);
    return child;
}

/**
 * Runs wrangler to its end and returns everything it printed, and of that what went to stdout, where JSON stands alone.
 *
 * @param {string[]} args
 * @returns {Promise<{ code: number | null, output: string, stdout: string }>}
 */
export function runWrangler(args) {
    return new Promise((resolve, reject) => {
        const child = spawnWrangler(args);
        let output = '';
        let stdout = '';
        child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
            output += text;
            stdout += text;
        });
        child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
            output += text;
        });
        child.on('error', reject);
        child.on('close', (code) => {
            resolve({ code, output, stdout });
        });
    });
}

/**
 * Signals every wrangler started here and all that they started; false when nothing is left to signal.
 *
 * @param {NodeJS.Signals | 0} signal
 */
export function signalAll(signal) {
    const reached = [...running].map((child) => {
        const alive = signalGroup(child, signal);
        if (!alive) {
            running.delete(child);
        }
        return alive;
    });
    return reached.includes(true);
}

/**
 * Stops every wrangler started here, politely, then after `patienceMs` by force; no further one can start.
 *
 * @param {number} [patienceMs]
 */
export async function stopAll(patienceMs = 5000) {
    isStopping = true;
    const giveUpAt = Date.now() + patienceMs;
    signalAll('SIGTERM');
    while (signalAll(0) && Date.now() < giveUpAt) {
        await sleep(50);
    }
    signalAll('SIGKILL');
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals | 0} signal
 */
function signalGroup(child, signal) {
    if (child.pid === undefined) {
        return false;
    }
    if (windows) {
        const ended = child.exitCode !== null || child.signalCode !== null;
        if (!ended && signal !== 0) {
            spawnSync('taskkill', ['/pid', String(child.pid), '/T', '/F']);
        }
        return !ended;
    }
    try {
        process.kill(-child.pid, signal);
        return true;
    } catch {
        return false;
    }
}
