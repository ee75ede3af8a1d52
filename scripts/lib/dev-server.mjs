import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { buildAssets } from '../build-assets.mjs';
import { CommandError, say } from './console.mjs';
import { deriveKeys } from './derive-keys.mjs';
import { devUsage, readDevArgs } from './dev-args.mjs';
import { ensureDevVars } from './dev-vars.mjs';
import { portProblem } from './ports.mjs';
import { inProject } from './project.mjs';
import { runWrangler, signalAll, spawnWrangler, stopAll } from './wrangler.mjs';

/** @typedef {import('./dev-args.mjs').DevOptions} DevOptions */

const startTimeoutMs = 60_000;
/** A server that answers but is not ready, or that printed an error, gets this long to recover. */
const troubleTimeoutMs = 5000;

/**
 * `npm run dev`: secrets, migrations, server, banner; returns when the server was stopped.
 *
 * @param {string[]} argv
 * @throws {CommandError} when the server does not come up or dies, with its last words
 */
export async function dev(argv) {
    const options = readDevArgs(argv, process.env);
    if (options.help) {
        say(devUsage);
        return;
    }
    const tell = options.quiet ? () => {} : say;
    const isStopping = stopOnSignal(tell);
    try {
        await requirePort(options);
        prepareSecrets(tell);
        buildAssets();
        tell('Applying database migrations …');
        await applyMigrations(options);
        tell('Starting the server …');
        await serve(options);
    } catch (error) {
        // A child that ends because it was told to is no failure.
        if (!isStopping()) {
            throw error;
        }
    }
}

/**
 * On a signal stops all that runs, then this process; so too when the shell that npm or Yarn put in between has died
 * of a signal, which it does without passing it on.
 *
 * @param {(text: string) => void} tell
 * @returns {() => boolean} whether that has begun
 */
function stopOnSignal(tell) {
    let stopping = false;
    const stop = async () => {
        if (stopping) {
            return;
        }
        stopping = true;
        await stopAll();
        tell('\nStopped.');
        process.exit(0);
    };
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
        process.on(signal, () => void stop());
    }
    const parent = process.ppid;
    if (process.env.npm_lifecycle_event !== undefined) {
        setInterval(() => process.ppid !== parent && void stop(), 250).unref();
    }
    // The last resort, for whatever other way this process ends.
    process.on('exit', () => signalAll('SIGKILL'));
    return () => stopping;
}

/** @param {DevOptions} options */
async function requirePort({ port, ip }) {
    const problem = await portProblem(port, ip === 'localhost' ? undefined : [ip]);
    if (problem === 'taken') {
        throw new CommandError(`Port ${port} is taken by another program (perhaps a server you started before).`, [
            'Stop that program,',
            `or choose another port: npm run dev -- --port ${port + 1}   (or PORT=${port + 1} npm run dev)`,
        ]);
    }
    if (problem === 'forbidden') {
        throw new CommandError(`This user may not listen on port ${port}.`, [
            'Choose a port above 1024: npm run dev -- --port 8787',
        ]);
    }
}

/** @param {(text: string) => void} tell */
function prepareSecrets(tell) {
    const { madeSecret, madeKeys } = ensureDevVars(inProject('.dev.vars'), deriveKeys);
    if (madeSecret) {
        tell('Made a master secret for this machine in .dev.vars, and the keys derived from it.');
    } else if (madeKeys) {
        tell('Derived the keys anew for the master secret in .dev.vars.');
    }
}

/** @param {DevOptions} options */
async function applyMigrations({ persistTo }) {
    const args = ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', persistTo];
    const { code, output } = await runWrangler(args);
    if (code !== 0) {
        throw new CommandError(`The database migrations could not be applied:\n\n${lastLines(output)}`, [
            `If the local database may be thrown away: remove ${shown(persistTo)} and start again.`,
            'If a migration is wrong: npm run db:generate makes them from src/db/schema.',
        ]);
    }
}

/** @param {DevOptions} options */
async function serve(options) {
    const { port, ip, persistTo, quiet } = options;
    const child = spawnWrangler([
        'dev',
        '--local',
        '--show-interactive-dev-session=false',
        `--port=${port}`,
        `--ip=${ip}`,
        `--persist-to=${persistTo}`,
    ]);
    let printed = '';
    let isUp = false;
    for (const [from, to] of /** @type {const} */ ([
        [child.stdout, process.stdout],
        [child.stderr, process.stderr],
    ])) {
        from.on('data', (/** @type {Buffer} */ chunk) => {
            printed = (printed + chunk.toString('utf8')).slice(-20_000);
            if (isUp && !quiet) {
                to.write(chunk);
            }
        });
    }
    const ended = /** @type {Promise<never>} */ (
        new Promise((_resolve, reject) => {
            child.on('error', reject);
            child.on('close', (code) => {
                reject(
                    new CommandError(
                        `The server ended by itself (code ${code}):\n\n${lastLines(printed)}`,
                        mend(options),
                    ),
                );
            });
        })
    );
    const waiting = new AbortController();
    const url = `http://${ip === '0.0.0.0' || ip === '::' ? 'localhost' : ip}:${port}`;
    try {
        await Promise.race([ended, waitUntilReady(url, options, () => printed, waiting.signal)]);
        say(quiet ? `Ready on ${url}` : await banner(url, options));
        isUp = true;
        await ended;
    } finally {
        waiting.abort();
        await stopAll();
    }
}

/**
 * @param {string} url
 * @param {DevOptions} options
 * @param {() => string} printed what wrangler said so far
 * @param {AbortSignal} signal stops the waiting
 */
async function waitUntilReady(url, options, printed, signal) {
    const startedAt = Date.now();
    /** @type {number | null} */
    let troubleSince = null;
    let answer = '';
    while (!signal.aborted) {
        const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3000) }).catch(() => null);
        if (response?.ok) {
            return;
        }
        answer = response ? await response.text().catch(() => '') : '';
        if (response || /\[ERROR\]|Build failed/.test(printed())) {
            troubleSince ??= Date.now();
        }
        const now = Date.now();
        if (now - startedAt > startTimeoutMs || (troubleSince !== null && now - troubleSince > troubleTimeoutMs)) {
            const said = answer ? `It answers /ready with: ${answer}\n\n` : '';
            throw new CommandError(`The server did not become ready.\n\n${said}${lastLines(printed())}`, mend(options));
        }
        await sleep(100);
    }
}

/** @param {DevOptions} options */
function mend({ persistTo, port }) {
    return [
        'A mistake in the code is named above; npm run typecheck finds most of them.',
        'If a secret is missing or does not fit: remove the line HAPPY_DERIVED_KEYS from .dev.vars and start again.',
        `If the local database is damaged: remove ${shown(persistTo)} and start again.`,
        `If another program took the port meanwhile: npm run dev -- --port ${port + 1}`,
    ];
}

/**
 * @param {string} url
 * @param {DevOptions} options
 */
async function banner(url, { persistTo, port, ip }) {
    const pages = [
        ['/', 'welcome; the Happy app recognises the server by it'],
        ['/health', 'is it alive'],
        ['/docs', 'the API, to browse and try'],
        ['/openapi.json', 'the API as OpenAPI 3.1'],
    ];
    // Only what is there to open is worth naming.
    const answers = await Promise.all(pages.map(([page]) => fetch(url + page).catch(() => null)));
    const listed = pages.filter((_page, index) => answers[index]?.ok);
    const phone =
        ip === 'localhost'
            ? `npm run dev -- --ip 0.0.0.0${port === 8787 ? '' : ` --port ${port}`}, then http://<address of this machine>:${port} as server URL in the app's settings`
            : `http://<address of this machine>:${port} as server URL in the app's settings`;
    return `
Happy server is ready: ${url}

${listed.map(([page, what]) => `  ${(url + page).padEnd(url.length + 15)}${what}`).join('\n')}

  State    ${shown(persistTo)} (remove it to start empty)
  Secrets  .dev.vars (every variable is described in .dev.vars.example)

  Happy CLI here    HAPPY_SERVER_URL=${url} happy
  Happy on a phone  ${phone}
  See it work       npm run demo${port === 8787 ? '' : ` -- ${url}`}

Ctrl-C stops the server. Requests are logged below.
`;
}

/** @param {string} output */
function lastLines(output) {
    const text = process.stderr.isTTY ? output : stripVTControlCharacters(output);
    const lines = text.trimEnd().split('\n');
    return lines
        .filter((line) => !line.includes('GET /ready'))
        .slice(-30)
        .map((line) => `    ${line}`)
        .join('\n');
}

/** @param {string} file shown as the person would type it */
function shown(file) {
    const relative = path.relative(process.cwd(), file);
    return relative.startsWith('..') ? file : relative;
}
