import { fork } from 'node:child_process';
import { inProject } from '../../scripts/lib/project.mjs';

/** Starts the plain Socket.IO server (`workers/node-server.ts`) in a process of its own. */
export async function startNodeServer(): Promise<{ origin: string; pid: number | null; stop(): void }> {
    const child = fork(inProject('bench', 'workers', 'node-server.ts'), { execArgv: ['--import', 'tsx'] });
    const port = await new Promise<number>((resolve, reject) => {
        child.once('message', (message) => resolve(Number(message)));
        child.once('exit', (code) => reject(new Error(`The Socket.IO server ended with ${code}`)));
    });
    return { origin: `http://127.0.0.1:${port}`, pid: child.pid ?? null, stop: () => void child.kill() };
}
