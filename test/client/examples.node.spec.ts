import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createHappyClient } from '@/client';
import type { HappyClient } from '@/client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';
import { inProject } from '../../scripts/lib/project.mjs';

let server: WorkerdServer;
let happy: HappyClient;
const secret = new Uint8Array(randomBytes(32));

beforeAll(async () => {
    server = await startWorkerd();
    happy = await createHappyClient({ url: server.url }).login(secret);
});
afterAll(() => server?.stop());

/** Starts an example as its first lines say. */
function start(name: string, ...args: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}`, ...args], { cwd: inProject() });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => {
        child.on('close', resolve);
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const until = (text: string | RegExp) =>
        vi.waitUntil(() => (typeof text === 'string' ? output.includes(text) : text.test(output)), { timeout: 30_000 });
    return { child, ended, until, output: () => output };
}

describe('examples', () => {
    it.each(['follow.ts', 'pair-terminal.ts'])('%s is 30 lines at most', (name) => {
        expect(readFileSync(inProject('examples', name), 'utf8').trim().split('\n').length).toBeLessThanOrEqual(30);
    });

    it('follow.ts prints live updates until it is stopped', async () => {
        const example = start('follow.ts', server.url, happy.token ?? '');
        await example.until('Following');
        await happy.api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        await example.until(/^\d{4}-\d\d-\d\dT\S+Z #1 new-session$/m);
        example.child.kill('SIGINT');
        expect(await example.ended, example.output()).toBe(0);
        expect(example.output()).toContain('Stopped after event 1.');
    });

    it('follow.ts says what is wrong with a token, and ends', async () => {
        const example = start('follow.ts', server.url, 'x.y.z');
        expect(await example.ended, example.output()).toBe(1);
        expect(example.output()).toContain('UNAUTHORIZED: Unauthorized');
    });

    it('pair-terminal.ts is let in by its link, and makes an encrypted session', async () => {
        const example = start('pair-terminal.ts', server.url);
        await example.until(/happy:\/\/terminal\?[\w-]{43}\n/);
        const [link = ''] = /happy:\/\/terminal\?[\w-]{43}/.exec(example.output()) ?? [];
        await happy.approvePairing(link, secret);
        expect(await example.ended, example.output()).toBe(0);
        const [, id = ''] = /Session (\S+) has message 1\./.exec(example.output()) ?? [];
        const { messages } = await happy.api.messages.recent.query({ id });
        expect(messages).toMatchObject([{ seq: 1, content: { t: 'encrypted' } }]);
    });
});
