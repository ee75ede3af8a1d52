import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../scripts/lib/ports.mjs';
import { inProject } from '../../scripts/lib/project.mjs';

/** A command of this project that was started. */
export interface RunningCommand {
    child: ChildProcess;
    /** Its exit code, once it has ended. */
    ended: Promise<number | null>;
    /** All that it printed so far. */
    output(): string;
}

/** Starts `node` with these arguments in the project's root. */
export function startNode(args: string[]): RunningCommand {
    const child = spawn(process.execPath, args, { cwd: inProject(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer) => (output += chunk.toString('utf8'));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const ended = new Promise<number | null>((resolve) => {
        child.on('close', resolve);
    });
    return { child, ended, output: () => output };
}

/** What `npm run dev` runs, with a state of its own. */
export interface DevServer extends RunningCommand {
    port: number;
    url: string;
    /** Ends it and drops its state. */
    stop(): Promise<void>;
}

/** Starts the dev server and waits until it says that it is ready. Throws with what it printed when it ends before. */
export async function startDevServer(): Promise<DevServer> {
    const state = mkdtempSync(path.join(tmpdir(), 'happy-dev-'));
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const server = startNode(['scripts/dev.mjs', '--quiet', '--port', String(port), '--persist-to', state]);
    await new Promise<void>((resolve, reject) => {
        const look = () => server.output().includes(`Ready on ${url}`) && resolve();
        server.child.stdout?.on('data', look);
        server.child.stderr?.on('data', look);
        void server.ended.then(() => reject(new Error(`The server did not start:\n${server.output()}`)));
    });
    return {
        ...server,
        port,
        url,
        async stop() {
            server.child.kill('SIGTERM');
            await server.ended;
            rmSync(state, { recursive: true, force: true });
        },
    };
}
