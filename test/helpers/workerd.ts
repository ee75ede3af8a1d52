import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deploymentOptions, launch, migrate } from '@test/helpers/deployment';

/** The server as it is deployed, in a workerd process of its own. */
export interface WorkerdServer {
    url: string;
    /** Resident memory of the process now, in bytes. Linux only. */
    residentBytes(): number;
    /** Ends the process, and begins another at the same address with the same data. */
    restart(): Promise<void>;
    stop(): Promise<void>;
}

/**
 * Bundles the Worker, and starts it with an empty database, an empty bucket and nothing else; `vars` are added.
 *
 * @param entry another script below the project's root
 */
export async function startWorkerd(vars: Record<string, string> = {}, entry?: string): Promise<WorkerdServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-workerd-'));
    const options = await deploymentOptions({ folder, vars, entry });
    let running = await launch({ ...options, port: 0 });
    const url = (await running.miniflare.ready).href;
    await migrate(running.miniflare);

    return {
        url,
        residentBytes() {
            const pages = readFileSync(`/proc/${running.pid}/statm`, 'utf8').split(' ')[1];
            return Number(pages) * 4096;
        },
        async restart() {
            await running.miniflare.dispose();
            running = await launch({ ...options, port: Number(new URL(url).port) });
        },
        async stop() {
            await running.miniflare.dispose();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
