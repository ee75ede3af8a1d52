import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deploymentOptions, launch, migrate } from '@test/helpers/deployment';
import { freePort } from '../../scripts/lib/ports.mjs';

/** A Worker in a workerd process of its own, with empty bindings. */
export interface RunningWorker {
    /** `http://127.0.0.1:<port>`, straight into the Worker: Miniflare's own entry would cost as much again. */
    origin: string;
    /** Process id of its workerd, whose CPU time `/proc` tells; null where it cannot be told. */
    pid: number | null;
    stop(): Promise<void>;
}

/**
 * Bundles a Worker exactly as `wrangler deploy` does, and starts it on D1, R2 and Durable Objects.
 *
 * @param entry the script below the project's root; absent for the Worker itself
 */
export async function startWorker(entry?: string): Promise<RunningWorker> {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-bench-'));
    const options = await deploymentOptions({ folder, entry });
    const port = await freePort();
    const { miniflare, pid } = await launch({
        ...options,
        port: 0,
        unsafeDirectSockets: [{ host: '127.0.0.1', port }],
    });
    await migrate(miniflare);

    return {
        origin: `http://127.0.0.1:${port}`,
        pid,
        async stop() {
            await miniflare.dispose();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
