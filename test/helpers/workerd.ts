import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Miniflare } from 'miniflare';
import { vi } from 'vitest';
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from 'wrangler';
import { deriveKeys } from '../../scripts/lib/derive-keys.mjs';
import { inProject } from '../../scripts/lib/project.mjs';
import { writeTestConfig } from '../../scripts/lib/test-config.mjs';

/** The server as it is deployed, in a workerd process of its own. */
export interface WorkerdServer {
    url: string;
    /** Resident memory of the process now, in bytes. Linux only. */
    residentBytes(): number;
    /** Ends the process, and begins another at the same address with the same data. */
    restart(): Promise<void>;
    stop(): Promise<void>;
}

const MASTER_SECRET = 'a master secret for tests only';

/** Bundles the Worker, and starts it with an empty database, an empty bucket and nothing else; `vars` are added. */
export async function startWorkerd(vars: Record<string, string> = {}): Promise<WorkerdServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-workerd-'));
    const bundle = path.join(folder, 'bundle');
    await runWrangler(['deploy', '--dry-run', '--env=', '--outdir', bundle]);

    // Wrangler would tell which secrets it found, which are replaced below.
    vi.stubEnv('WRANGLER_LOG', 'none');
    const { workerOptions } = unstable_getMiniflareWorkerOptions(writeTestConfig());
    vi.unstubAllEnvs();
    const options = {
        ...workerOptions,
        rootPath: bundle,
        modulesRoot: bundle,
        modules: readdirSync(bundle)
            .filter((file) => /\.(js|wasm)$/.test(file))
            // The first is the one that runs.
            .sort((a) => (a === 'index.js' ? -1 : 1))
            .map((file) => ({
                type: file.endsWith('.js') ? ('ESModule' as const) : ('CompiledWasm' as const),
                path: path.join(bundle, file),
            })),
        bindings: {
            ...workerOptions.bindings,
            LOG_LEVEL: 'error',
            HAPPY_MASTER_SECRET: MASTER_SECRET,
            HAPPY_DERIVED_KEYS: deriveKeys(MASTER_SECRET),
            ...vars,
        },
        defaultPersistRoot: path.join(folder, 'state'),
        d1Persist: true,
        r2Persist: true,
        durableObjectsPersist: true,
    };
    let pid: number | undefined;
    async function launch(port: number): Promise<Miniflare> {
        const before = workerdProcesses();
        const launched = new Miniflare({ ...options, port });
        await launched.ready;
        pid = workerdProcesses().find((candidate) => !before.includes(candidate));
        return launched;
    }
    let miniflare = await launch(0);
    const url = (await miniflare.ready).href;
    await migrate(await miniflare.getD1Database('DB'));

    return {
        url,
        residentBytes() {
            const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
            return Number(pages) * 4096;
        },
        async restart() {
            await miniflare.dispose();
            miniflare = await launch(Number(new URL(url).port));
        },
        async stop() {
            await miniflare.dispose();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}

async function runWrangler(args: string[]): Promise<void> {
    const bin = inProject('node_modules', 'wrangler', 'bin', 'wrangler.js');
    await promisify(execFile)(process.execPath, [bin, ...args], { cwd: inProject() });
}

async function migrate(db: { prepare(sql: string): { run(): Promise<unknown> } }): Promise<void> {
    const folder = inProject('drizzle', 'migrations');
    const files = readdirSync(folder)
        .filter((file) => file.endsWith('.sql'))
        .sort();
    for (const file of files) {
        for (const statement of unstable_splitSqlQuery(readFileSync(path.join(folder, file), 'utf8'))) {
            await db.prepare(statement).run();
        }
    }
}

/** Process ids of every workerd that this process has started; none where there is no /proc. */
function workerdProcesses(): number[] {
    if (!existsSync('/proc')) return [];
    const pids = readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number);
    return pids.filter((pid) => {
        try {
            const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
            return name === 'workerd' && Number(parent) === process.pid;
        } catch {
            return false; // it has ended
        }
    });
}
