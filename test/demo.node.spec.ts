import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, portProblem } from '../scripts/lib/ports.mjs';
import { inProject } from '../scripts/lib/project.mjs';

/** A command of this project as a child process, with all it printed. */
function run(args: string[]) {
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

function until(condition: () => boolean, server: { child: ChildProcess; output: () => string }) {
    return new Promise<void>((resolve, reject) => {
        const timer = setInterval(() => {
            const isOver = server.child.exitCode !== null;
            if (!condition() && !isOver) return;
            clearInterval(timer);
            if (condition()) resolve();
            else reject(new Error(`The server did not start:\n${server.output()}`));
        }, 50);
    });
}

const demo = (url: string) => run(['--import', 'tsx', 'scripts/demo.ts', url]);

describe('the two commands a newcomer runs', () => {
    const state = mkdtempSync(path.join(tmpdir(), 'happy-demo-'));
    let port = 0;
    let server: ReturnType<typeof run>;

    beforeAll(async () => {
        port = await freePort();
        server = run(['scripts/dev.mjs', '--quiet', '--port', String(port), '--persist-to', state]);
        await until(() => server.output().includes(`Ready on http://localhost:${port}`), server);
    }, 90_000);

    afterAll(async () => {
        server.child.kill('SIGTERM');
        await server.ended;
        rmSync(state, { recursive: true, force: true });
    });

    it('the demo finds everything as it should be on the dev server', async () => {
        const { ended, output } = demo(`http://localhost:${port}`);
        expect(await ended, output() + server.output()).toBe(0);
        expect(output()).toContain('Everything is as it should be');
        // On WebSockets: a live message, a remote call, a connection that was lost.
        for (const done of [
            'decrypted; its sender got no echo',
            'got its encrypted answer',
            'the 3 updates it had missed',
        ]) {
            expect(output()).toContain(done);
        }
    });

    it('the demo says how to start a server where there is none', async () => {
        const { ended, output } = demo(`http://localhost:${await freePort()}`);
        expect(await ended).toBe(1);
        expect(output()).toContain('No server answers');
        expect(output()).toContain('npm run dev');
    });

    it('the demo refuses what is no address', async () => {
        const { ended, output } = demo('localhost');
        expect(await ended).toBe(1);
        expect(output()).toContain('is not the address of a server');
    });

    it('a second dev server on the same port says how to choose another', async () => {
        const { ended, output } = run(['scripts/dev.mjs', '--port', String(port)]);
        expect(await ended).toBe(1);
        expect(output()).toContain(`Port ${port} is taken`);
        expect(output()).toContain(`--port ${port + 1}`);
    });

    it('a stopped dev server leaves nothing behind', async () => {
        server.child.kill('SIGINT');
        expect(await server.ended, server.output()).toBe(0);
        expect(await portProblem(port)).toBeNull();
    });
});
