import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Miniflare } from 'miniflare';
import type { MiniflareOptions } from 'miniflare';
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from 'wrangler';
import { deriveKeys } from '../../scripts/lib/derive-keys.mjs';
import { inProject } from '../../scripts/lib/project.mjs';
import { writeTestConfig } from '../../scripts/lib/test-config.mjs';
import { runWrangler } from '../../scripts/lib/wrangler.mjs';

const MASTER_SECRET = 'a master secret for tests and benchmarks only';

/** What to run, and where to keep its data. */
export interface Deployment {
    /** An empty folder, for the bundle and for the state of D1, R2 and the objects. */
    folder: string;
    /** The script below the project's root; absent for the Worker itself. */
    entry?: string;
    /** Variables beside those of wrangler.toml. */
    vars?: Record<string, string>;
}

/** Bundles a Worker exactly as `wrangler deploy` does: the options by which Miniflare runs it on all its bindings. */
export async function deploymentOptions({ folder, entry, vars }: Deployment): Promise<MiniflareOptions> {
    const bundle = path.join(folder, 'bundle');
    const script = entry === undefined ? [] : [inProject(entry)];
    const { code, output } = await runWrangler(['deploy', ...script, '--dry-run', '--env=', '--outdir', bundle]);
    if (code !== 0) throw new Error(`wrangler could not bundle ${entry ?? 'the Worker'}:\n${output}`);

    const main = entry === undefined ? 'index.js' : `${path.basename(entry, '.ts')}.js`;
    const { workerOptions } = readConfig();
    return {
        ...workerOptions,
        rootPath: bundle,
        modulesRoot: bundle,
        modules: readdirSync(bundle)
            .filter((file) => /\.(js|wasm)$/.test(file))
            // The first is the one that runs.
            .sort((a) => (a === main ? -1 : 1))
            .map((file) => ({
                type: file.endsWith('.js') ? ('ESModule' as const) : ('CompiledWasm' as const),
                path: path.join(bundle, file),
            })),
        bindings: {
            ...workerOptions.bindings,
            // Production logs every request too; here that would measure the pipe behind it, and fill the terminal.
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
}

/** Starts it in a workerd process of its own; `pid` is null where `/proc` does not tell. */
export async function launch(options: MiniflareOptions): Promise<{ miniflare: Miniflare; pid: number | null }> {
    const before = workerdProcesses();
    const miniflare = new Miniflare(options);
    await miniflare.ready;
    const pid = workerdProcesses().find((candidate) => !before.includes(candidate)) ?? null;
    return { miniflare, pid };
}

/** Gives its empty database the tables. */
export async function migrate(miniflare: Miniflare): Promise<void> {
    const db = await miniflare.getD1Database('DB');
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

/** The bindings of wrangler.toml; wrangler would tell on the terminal which secrets it found, which are replaced here. */
function readConfig() {
    const { WRANGLER_LOG } = process.env;
    process.env.WRANGLER_LOG = 'none';
    try {
        return unstable_getMiniflareWorkerOptions(writeTestConfig());
    } finally {
        if (WRANGLER_LOG === undefined) delete process.env.WRANGLER_LOG;
        else process.env.WRANGLER_LOG = WRANGLER_LOG;
    }
}

/** Process ids of every workerd that this process has started; none where there is no `/proc`. */
function workerdProcesses(): number[] {
    if (process.platform !== 'linux') return [];
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
