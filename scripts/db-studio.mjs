/**
 * `npm run db:studio`: Drizzle Studio on the local database. Its page comes from https://local.drizzle.studio and talks to
 * a server on this machine; that server wants a SQLite driver, which nothing else here needs, so npx brings it along.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readArgs } from './lib/command-args.mjs';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { shownPath, stateFolder } from './lib/local-database.mjs';
import { inProject } from './lib/project.mjs';

const windows = process.platform === 'win32';

/** @param {string} state */
function databaseFile(state) {
    const folder = path.join(state, 'v3', 'd1', 'miniflare-D1DatabaseObject');
    const files = existsSync(folder) ? readdirSync(folder) : [];
    const file = files.find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
    if (file) return path.join(folder, file);
    throw new CommandError(`There is no local database in ${shownPath(state)}.`, [
        'Make it: npm run db:migrate (npm run dev does it, too).',
    ]);
}

/** @param {string} name */
function versionOf(name) {
    return JSON.parse(readFileSync(inProject('package.json'), 'utf8')).devDependencies[name] ?? 'latest';
}

const usage = `npm run db:studio -- [--port N] [--persist-to DIR]

  --port N          port of the studio's server on this machine (default: 4983)
  --persist-to DIR  folder of the local database (default: .wrangler/state)

Open https://local.drizzle.studio in a browser then. Ctrl-C stops it.`;

await runCommand(async () => {
    const options = /** @type {const} */ ({ port: { type: 'string' }, 'persist-to': { type: 'string' } });
    const { values } = readArgs(process.argv.slice(2), options, usage);
    const url = databaseFile(stateFolder(values['persist-to']));
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-studio-'));
    const config = path.join(folder, 'drizzle.config.json');
    writeFileSync(config, JSON.stringify({ dialect: 'sqlite', dbCredentials: { url } }));
    const packages = [`drizzle-kit@${versionOf('drizzle-kit')}`, 'drizzle-orm', '@libsql/client'];
    const args = ['-y', ...packages.flatMap((name) => ['-p', name]), 'drizzle-kit', 'studio', '--config', config];
    say('Fetching Drizzle Studio and its SQLite driver, the first time …');
    try {
        const port = values.port ? ['--port', values.port] : [];
        const child = spawn('npx', [...args, ...port], {
            cwd: folder,
            stdio: ['ignore', 'inherit', 'inherit'],
            shell: windows,
            detached: !windows,
        });
        // npx passes no signal on, so all that it started gets it; this process stays until they are gone, to clean up.
        let stopping = false;
        for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
            process.on(signal, () => {
                stopping = true;
                if (windows || child.pid === undefined) child.kill(signal);
                else process.kill(-child.pid, 'SIGTERM');
            });
        }
        const code = await new Promise((resolve, reject) => {
            child.on('error', reject);
            child.on('close', resolve);
        });
        if (code !== 0 && !stopping) {
            throw new CommandError('Drizzle Studio ended by itself.', [
                'It needs the npm registry, to fetch @libsql/client, and a browser that reaches https://local.drizzle.studio.',
            ]);
        }
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});
