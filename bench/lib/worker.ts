import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from 'wrangler';
import { deriveKeys } from '../../scripts/lib/derive-keys.mjs';
import { inProject } from '../../scripts/lib/project.mjs';
import { writeTestConfig } from '../../scripts/lib/test-config.mjs';
import { runWrangler } from '../../scripts/lib/wrangler.mjs';

/** A Worker in a workerd process of its own, with empty bindings. */
export interface RunningWorker {
    /** `http://127.0.0.1:<port>`, straight into the Worker: Miniflare's own entry would cost as much again. */
    origin: string;
    /** Process id of its workerd, whose CPU time `/proc` tells; null where it cannot be told. */
    pid: number | null;
    stop(): Promise<void>;
}

const MASTER_SECRET = 'a master secret for benchmarks only';

/**
 * Bundles a Worker exactly as `wrangler deploy` does, and starts it on D1, R2 and Durable Objects.
 *
 * @param entry the script below the project's root; absent for the Worker itself
 */
export async function startWorker(entry?: string): Promise<RunningWorker> {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-bench-'));
    const bundle = path.join(folder, 'bundle');
    const { code, output } = await runWrangler([
        'deploy',
        ...(entry === undefined ? [] : [inProject(entry)]),
        '--dry-run',
        '--env=',
        '--outdir',
        bundle,
    ]);
    if (code !== 0) throw new Error(`wrangler could not bundle ${entry ?? 'the Worker'}:\n${output}`);

    const before = workerdProcesses();
    const { workerOptions } = unstable_getMiniflareWorkerOptions(writeTestConfig());
    const port = await freePort();
    const main = entry === undefined ? 'index.js' : `${path.basename(entry, '.ts')}.js`;
    const miniflare = new Miniflare({
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
            // Production logs every request too; here that would measure the pipe behind it.
            LOG_LEVEL: 'error',
            HAPPY_MASTER_SECRET: MASTER_SECRET,
            HAPPY_DERIVED_KEYS: deriveKeys(MASTER_SECRET),
        },
        port: 0,
        unsafeDirectSockets: [{ host: '127.0.0.1', port }],
        defaultPersistRoot: path.join(folder, 'state'),
        d1Persist: true,
        r2Persist: true,
        durableObjectsPersist: true,
    });
    await miniflare.ready;
    await migrate(await miniflare.getD1Database('DB'));
    const pid = workerdProcesses().find((candidate) => !before.includes(candidate)) ?? null;

    return {
        origin: `http://127.0.0.1:${port}`,
        pid,
        async stop() {
            await miniflare.dispose();
            rmSync(folder, { recursive: true, force: true });
        },
    };
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

function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = createServer().once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address() as AddressInfo;
            server.close(() => resolve(port));
        });
    });
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
