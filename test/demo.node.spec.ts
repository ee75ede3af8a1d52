import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevServer, startNode } from '@test/helpers/dev-server';
import type { DevServer } from '@test/helpers/dev-server';
import { freePort, portProblem } from '../scripts/lib/ports.mjs';

const demo = (url: string) => startNode(['--import', 'tsx', 'scripts/demo.ts', url]);

describe('the two commands a newcomer runs', () => {
    let server: DevServer;

    beforeAll(async () => {
        server = await startDevServer();
    });

    afterAll(async () => {
        await server?.stop();
    });

    it('the demo finds everything as it should be on the dev server', async () => {
        const { ended, output } = demo(server.url);
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
        const { ended, output } = startNode(['scripts/dev.mjs', '--port', String(server.port)]);
        expect(await ended).toBe(1);
        expect(output()).toContain(`Port ${server.port} is taken`);
        expect(output()).toContain(`--port ${server.port + 1}`);
    });

    it('a stopped dev server leaves nothing behind', async () => {
        server.child.kill('SIGINT');
        expect(await server.ended, server.output()).toBe(0);
        expect(await portProblem(server.port)).toBeNull();
    });
});
