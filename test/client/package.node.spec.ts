import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '@test/helpers/built-client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';
import { inProject } from '../../scripts/lib/project.mjs';

/** A project of its own that has nothing but the packed tarball and the package's published dependencies. */
const project = mkdtempSync(path.join(tmpdir(), 'happy-consumer-'));
const installed = path.join(project, 'node_modules', 'happy-server-workers');
const tsc = inProject('node_modules', 'typescript', 'bin', 'tsc');
let server: WorkerdServer;

beforeAll(async () => {
    await run('npm', ['pack', '--silent', '--pack-destination', project]);
    const tarball = readdirSync(project).find((file) => file.endsWith('.tgz')) ?? '';
    mkdirSync(path.join(project, 'node_modules', '@trpc'), { recursive: true });
    mkdirSync(installed);
    await run('tar', ['-xzf', path.join(project, tarball), '--strip-components=1', '-C', installed]);
    for (const name of ['@trpc/client', '@trpc/server', '@types']) {
        symlinkSync(inProject('node_modules', name), path.join(project, 'node_modules', name));
    }
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    server = await startWorkerd();
});
afterAll(async () => {
    await server?.stop();
    rmSync(project, { recursive: true, force: true });
});

/** Compiles a file of the project, strictly. */
function compile(name: string, source: string, options: string[] = []): Promise<string> {
    writeFileSync(path.join(project, name), source);
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
    return run(
        process.execPath,
        [tsc, name, ...strict, '--types', 'node', '--module', 'nodenext', ...options],
        project,
    );
}

describe('the packed client', () => {
    it('holds the client and nothing of the server', () => {
        const files = readdirSync(installed, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map(({ name, parentPath }) => path.relative(installed, path.join(parentPath, name)));
        expect(files.filter((file) => !file.startsWith('dist/client/')).sort()).toEqual([
            'LICENSE',
            'README.md',
            'package.json',
        ]);
        for (const file of files.filter((name) => name.endsWith('.d.ts'))) {
            const text = readFileSync(path.join(installed, file), 'utf8');
            expect(text, file).not.toMatch(/\bany\b(?! |\.)/);
            expect(text, file).not.toMatch(/@\/|drizzle|hono|cloudflare|workers-types|\bzod\b/);
        }
        const { dependencies } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'));
        expect(Object.keys(dependencies), 'of what the Worker is built, nobody installs anything').toEqual([
            '@trpc/client',
            '@trpc/server',
        ]);
        const code = readFileSync(path.join(installed, 'dist/client/index.js'), 'utf8');
        expect(code).not.toMatch(/^import .* from/m);
        expect(code).not.toMatch(/drizzle|AccountHub|CREATE TABLE/);
    });

    it.each([
        // tRPC's own declarations name a type that only browsers have.
        ['Node', ['--moduleResolution', 'nodenext', '--lib', 'es2023', '--skipLibCheck']],
        ['browsers', ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2023,dom,dom.iterable']],
    ])('compiles in a project for %s, with types that are no `any`, and does its work', async (where, options) => {
        const name = `${where.toLowerCase()}.ts`;
        await compile(name, CONSUMER, options);
        const output = await run(process.execPath, [name.replace('.ts', '.js'), server.url], project);
        // What follows live has no place of its own among the answers.
        expect(output.trim().split('\n').sort()).toEqual(['NOT_FOUND', 'created with 0 messages', 'new-session 1']);
    });

    it('does not compile what the server would refuse or does not have', async () => {
        const wrong = [
            'await happy.api.sessions.nothing.query({});',
            "await happy.api.sessions.create.mutate({ tag: 'a' });",
            "await happy.api.sessions.create.mutate({ tag: 1, metadata: 'bQ==' });",
            '(await happy.api.sessions.list.query({})).sessions[0]!.secret;',
            "toHappyError(null).code === 'NOWHERE';",
            'await happy.api.sessions.get.query();',
            'happy.follow({ onUpdate: ({ body }) => body.message });',
            "happy.follow({ onUpdate: ({ body }) => body.t === 'nothing' });",
            "happy.follow({ onUpdate: ({ body }) => (body.t === 'new-message' ? body.message.nothing : 0) });",
            "happy.follow({ onEphemeral: (one) => (one.type === 'activity' ? one.online : 0) });",
        ];
        const source = [
            "import { createHappyClient, toHappyError } from 'happy-server-workers/client'; const happy = createHappyClient({ url: '' });",
            ...wrong,
        ].join('\n');
        const failure =
            (await compile('wrong.ts', source, ['--noEmit', '--skipLibCheck']).catch(
                (error: Error) => error.message,
            )) ?? '';
        const lines = [...failure.matchAll(/wrong\.ts\((\d+),/g)].map(([, line]) => Number(line));
        expect([...new Set(lines)]).toEqual(wrong.map((_, i) => i + 2));
    });
});

const CONSUMER = `
import { HappyError, createHappyClient, randomBytes } from 'happy-server-workers/client';
import type { AppRouter, HappyEphemeral, HappyErrorCode, HappyUpdate } from 'happy-server-workers/client';
import type { inferRouterOutputs } from '@trpc/server';

type IsAny<T> = 0 extends 1 & T ? true : false;
type Outputs = inferRouterOutputs<AppRouter>;
const anywhere: IsAny<AppRouter> | IsAny<Outputs> | IsAny<Outputs['sessions']['list']> | IsAny<HappyUpdate> | IsAny<HappyErrorCode>
    | IsAny<HappyUpdate['body']['t']> | IsAny<Outputs['sessions']['list']['sessions'][number]['id']> = false;
void anywhere;

/** Every kind of event has its own fields. */
function tell({ body }: HappyUpdate): string {
    switch (body.t) {
        case 'new-session': return \`\${body.id} \${body.metadata}\`;
        case 'new-message': return \`\${body.sid} \${body.message.seq.toFixed()}\`;
        case 'update-session':
        case 'update-machine': return body.metadata === undefined ? '' : \`\${body.metadata.value} \${body.metadata.version.toFixed()}\`;
        case 'update-account': return body.avatar?.url ?? body.username ?? body.settings?.value ?? '';
        case 'kv-batch-update': return body.changes.map(({ key }) => key).join();
        case 'relationship-updated': return body.status === 'friend' ? body.uid : body.action;
        case 'new-feed-post': return body.body.kind;
        case 'new-artifact':
        case 'update-artifact':
        case 'delete-artifact': return body.artifactId;
        case 'new-machine':
        case 'delete-machine': return body.machineId;
        case 'delete-session': return body.sid;
        default: { const none: never = body; return none; }
    }
}
const seen = (one: HappyEphemeral): string => (one.type === 'session-event' ? one.title : one.type === 'usage' ? one.key : one.type);
void [tell, seen];

const happy = await createHappyClient({ url: process.argv[2] ?? '' }).login(randomBytes(32));
const update = new Promise<HappyUpdate>((resolve) => {
    const following = happy.follow({
        onState: async (state) => {
            if (state !== 'open') return;
            const { session } = await happy.api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
            const count: number = session.seq;
            if ((await happy.api.sessions.list.query()).sessions.length !== 1) throw new Error('Not listed');
            console.log(\`created with \${count} messages\`);
            await happy.api.sessions.get.query({ id: 'nothing' }).catch((error: unknown) => {
                if (error instanceof HappyError && error.code === 'NOT_FOUND') console.log(error.code);
            });
        },
        onUpdate: (data) => {
            setTimeout(() => { following.close(); resolve(data); }, 200);
        },
    });
});
const { seq, body } = await update;
console.log(body.t, seq);
`;
