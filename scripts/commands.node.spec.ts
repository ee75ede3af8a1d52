import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHappyClient } from '@/client';
import { copyPart, copyProject, printed } from '@test/helpers/command';
import type { Ended, ProjectCopy, Running } from '@test/helpers/command';
import { freePort } from './lib/ports.mjs';
import { inProject } from './lib/project.mjs';

interface Row {
    script: string;
    args?: string[];
    env?: Record<string, string>;
    /** What has to be there first. */
    before?: (folder: string) => void;
    code: 0 | 1 | 2;
    says: RegExp;
    /** What has to be there afterwards. */
    after?: (folder: string) => void;
}

const NO_REGISTRY = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' };
const UNFORMATTED = 'export const answer   = 42;\nexport const text = `${answer}`;\n';
/** Code of others, which none of our rules may mend. */
const DEPENDENCY = 'node_modules/others/index.js';
const OTHERS = 'export var answer   = 42;\n';
const write = (file: string, text: string) => (folder: string) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
};
const reads = (file: string, text: string) => (folder: string) => {
    expect(readFileSync(path.join(folder, file), 'utf8')).toBe(text);
};

const writeCode = (folder: string) => {
    write(
        'tsconfig.json',
        '{ "compilerOptions": { "strict": true, "noEmit": true, "types": [] }, "include": ["src"] }\n',
    )(folder);
    write('src/answer.ts', UNFORMATTED)(folder);
    write(DEPENDENCY, OTHERS)(folder);
};

/** On the whole project: the local database, and what is generated from the code. */
const LOCAL: Row[] = [
    { script: 'db:status', code: 1, says: /There is no local database[^]*npm run db:migrate/ },
    { script: 'db:studio', code: 1, says: /There is no local database[^]*npm run db:migrate/ },
    { script: 'secrets:rotate', code: 1, says: /There is no local database[^]*npm run db:migrate/ },
    { script: 'db:migrate', code: 0, says: /^Applied: 0000_\w+\.sql/ },
    { script: 'db:migrate', code: 0, says: /^No migration was missing/ },
    {
        script: 'secrets:rotate',
        code: 1,
        says: /There is no master secret in \.dev\.vars\.\n {2}- npm run dev makes one/,
    },
    { script: 'db:reset', code: 1, says: /there is nobody to ask[^]*npm run db:reset -- --yes/ },
    { script: 'db:reset', args: ['--yes'], code: 0, says: /The local database is empty and up to date/ },
    { script: 'db:status', code: 0, says: /Account +0\n[^]*\d+ tables; (\d+) of \1 migrations applied/ },
    { script: 'db:studio', env: NO_REGISTRY, code: 1, says: /It needs the npm registry/ },
    { script: 'db:generate', code: 0, says: /No new migration\.\n$/ },
    {
        script: 'db:compare',
        code: 0,
        says: /^20 tables of the Node server compared, \d+ differences, each with its reason/,
    },
    { script: 'db:seed', args: ['http://localhost:9'], code: 1, says: /No server answers[^]*npm run dev/ },
    { script: 'db:seed', args: ['--fast'], code: 1, says: /Unknown option '--fast'\.\n\nnpm run db:seed -- \[URL\]/ },
    { script: 'openapi', code: 0, says: /openapi\.json was up to date/ },
];

const LOGIN = /Nobody is logged in to Cloudflare[^]*npx wrangler login[^]*CLOUDFLARE_API_TOKEN/;

/** What needs a login at Cloudflare, without one. */
const REMOTE: Row[] = [
    { script: 'deploy', code: 1, says: new RegExp(`Step 1 of 8 failed. ${LOGIN.source}`) },
    {
        script: 'deploy',
        args: ['--env', 'dev', '--dry-run'],
        before: write('.dev.vars.dev', 'LOG_LEVEL=debug\n'),
        code: 0,
        says: /2\/8 {2}Bundle the Worker\n[^]*KiB gzip[^]*make it if the account has none of that name, and write its id[^]*put LOG_LEVEL of \.dev\.vars\.dev[^]*d1 migrations apply DB --remote --env dev[^]*All well/,
        after: reads('.dev.vars.dev', 'LOG_LEVEL=debug\n'),
    },
    {
        script: 'deploy',
        before: write('.dev.vars.prod', 'GITHUB_CLIENTID=x\n'),
        args: ['--dry-run'],
        code: 1,
        says: /\.dev\.vars\.prod has what this server does not read: GITHUB_CLIENTID\.[^]*\.dev\.vars\.example/,
    },
    {
        script: 'deploy',
        before: write('.dev.vars.prod', 'ENVIRONMENT=x\n'),
        args: ['--dry-run'],
        code: 1,
        says: /sets what wrangler\.toml sets as well: ENVIRONMENT/,
    },
    {
        script: 'deploy',
        args: ['--env', 'staging'],
        code: 1,
        says: /"staging" is no environment[^]*--env dev or --env prod/,
    },
    { script: 'db:create', code: 1, says: LOGIN },
    { script: 'db:create:prod', code: 1, says: LOGIN },
    { script: 'db:migrate:remote', code: 1, says: /no database id for \[env\.dev\][^]*npm run db:create\n/ },
    { script: 'db:migrate:prod', code: 1, says: /no database id for \[env\.prod\][^]*npm run db:create:prod\n/ },
    { script: 'secrets:rotate', args: ['--env', 'dev'], code: 1, says: /no database id for \[env\.dev\]/ },
    { script: 'secrets:rotate', args: ['--help'], code: 0, says: /^npm run secrets:rotate -- \[--env dev\|prod\]/ },
];

/** On a project of a few files: what reads or mends the code. */
const CODE: Row[] = [
    { script: 'typecheck', before: writeCode, code: 0, says: /^$/ },
    { script: 'format:check', code: 1, says: /src\/answer\.ts/ },
    {
        script: 'format',
        code: 0,
        says: /Finished|^$/,
        after: reads('src/answer.ts', 'export const answer = 42;\nexport const text = `${answer}`;\n'),
    },
    { script: 'format:check', code: 0, says: /correct format/ },
    { script: 'lint', code: 0, says: /Found 0 warnings and 0 errors/ },
    { script: 'lint', before: write('src/answer.ts', 'export var answer = 42;\n'), code: 1, says: /no-var/ },
    {
        script: 'lint:fix',
        code: 0,
        says: /Found 0 warnings and 0 errors/,
        after: reads('src/answer.ts', 'export const answer = 42;\n'),
    },
    {
        script: 'typecheck',
        before: write('src/answer.ts', 'export const answer: string = 42;\n'),
        code: 2,
        says: /src\/answer\.ts.*TS2322/,
    },
];
const CODE_FILES: [string, ...string[]] = [
    'package.json',
    'oxlint.json',
    '.oxfmtrc.json',
    'lint',
    'scripts/setup.mjs',
    ...['console', 'install', 'node-version', 'project'].map((name) => `scripts/lib/${name}.mjs`),
];

/** Commands that run elsewhere, being long: in which file, and the text that runs them. */
const ELSEWHERE: Record<string, [file: string, text: string]> = {
    test: ['.ci/run', 'tests 1500 test '],
    'test:smoke': ['.ci/run', ' test:smoke '],
    'openapi:check': ['.ci/run', 'npm run --silent openapi:check'],
    bundle: ['.ci/run', 'npm run --silent bundle'],
    'bench:ci': ['.ci/run', 'npm run --silent bench:ci'],
    bench: ['.ci/run', 'npm run --silent bench:ci'],
    demo: ['.ci/run', 'npm run --silent demo'],
    client: ['test/helpers/built-client.ts', 'scripts/build-client.ts'],
    prepack: ['test/helpers/built-client.ts', 'scripts/build-client.ts'],
};
/** Started by a test of its own. */
const HERE = ['test:watch', 'dev'];

const { scripts } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { scripts: Record<string, string> };
const title = ({ script, args = [] }: Row, index: number) => `${index + 1}: ${[script, ...args].join(' ')}`;
const running = new Map<Row, Promise<Ended>>();
const projects: ProjectCopy[] = [];
let whole: ProjectCopy;
let part: ProjectCopy;

/** Starts the rows of a project, one after the other, and goes on while the tests of others wait for theirs. */
function runAll(rows: Row[], project: ProjectCopy): ProjectCopy {
    projects.push(project);
    let before: Promise<unknown> = Promise.resolve();
    for (const row of rows) {
        const run = before.then(async () => {
            row.before?.(project.folder);
            const ended = await project.run(row.script, row.args, row.env);
            row.after?.(project.folder);
            return ended;
        });
        running.set(row, run);
        before = run.catch(() => undefined);
    }
    return project;
}

beforeAll(() => {
    whole = runAll(LOCAL, copyProject());
    runAll(REMOTE, copyProject());
    part = runAll(CODE, copyPart(CODE_FILES));
});
afterAll(async () => {
    await Promise.allSettled(running.values());
    for (const project of projects) project.remove();
});

describe.each([
    ['on the local database and the schema', LOCAL],
    ['without a login at Cloudflare', REMOTE],
    ['on code', CODE],
])('commands %s', (_what, rows) => {
    it.each(rows.map((row, index) => [title(row, index), row] as const))('%s', async (_title, row) => {
        const { code, output } = await running.get(row)!;
        expect({ code, output }).toEqual({ code: row.code, output: expect.stringMatching(row.says) as string });
        // Whoever reads it shall not need the code: no stack of ours in a failure that was foreseen.
        expect(output).not.toMatch(/^\s+at .*scripts\//m);
    });
});

it('commands that mend code leave the code of others alone', async () => {
    for (const row of CODE) await running.get(row)?.catch(() => undefined);
    expect(readFileSync(path.join(part.folder, DEPENDENCY), 'utf8')).toBe(OTHERS);
});

describe('every command of package.json', () => {
    it.each(Object.keys(scripts))('%s is run by a test or by CI', (script) => {
        const isRow = [...LOCAL, ...REMOTE, ...CODE].some((row) => row.script === script) || HERE.includes(script);
        const [file, text] = ELSEWHERE[script] ?? [];
        const isElsewhere = file !== undefined && readFileSync(inProject(file), 'utf8').includes(text ?? '');
        expect(isRow || isElsewhere, 'it needs a row in scripts/commands.node.spec.ts').toBe(true);
    });

    it('has no row for a command that is not there', () => {
        const named = [...LOCAL, ...REMOTE, ...CODE].map(({ script }) => script).concat(HERE, Object.keys(ELSEWHERE));
        expect(named.filter((script) => !(script in scripts))).toEqual([]);
    });
});

describe('test:watch', () => {
    it('runs the tests that are asked for and waits for changes', async () => {
        const watch = whole.start('test:watch', ['--project=node', 'scripts/lib/dev-args']);
        await printed(watch, 'Waiting for file changes');
        const { output } = await watch.stop();
        expect(output).toMatch(/Test Files +1 passed/);
    });
});

describe('on a server that runs', () => {
    const secret = new Uint8Array(32).fill(7);
    let project: ProjectCopy;
    let server: Running;
    let url = '';

    beforeAll(async () => {
        project = copyProject();
        const port = await freePort();
        url = `http://localhost:${port}`;
        server = project.start('dev', ['--quiet', '--port', String(port)]);
        await printed(server, `Ready on ${url}`);
    });
    afterAll(async () => {
        await server.stop();
        project.remove();
    });

    it('db:seed writes through its API, and does nothing the second time', async () => {
        const first = await project.run('db:seed', [url]);
        expect(first).toEqual({ code: 0, output: expect.stringContaining('Jane and John are friends') as string });
        const second = await project.run('db:seed', [], { HAPPY_SERVER_URL: url });
        expect(second).toEqual(first);
    });

    it('db:status counts what is there', async () => {
        const { code, output } = await project.run('db:status');
        expect(output).toMatch(/^Account +2$/m);
        expect(output).toMatch(/^SessionMessage +3$/m);
        expect(code).toBe(0);
    });

    it('secrets:rotate ends every login, and stored tokens can still be read', async () => {
        const before = await createHappyClient({ url }).login(secret);
        await before.api.connect.register.mutate({ vendor: 'openai', token: 'sk-1' });
        const vars = () => readFileSync(path.join(project.folder, '.dev.vars'), 'utf8');
        const old = vars();

        const dry = await project.run('secrets:rotate', ['--dry-run']);
        expect(dry.output).toMatch(/1 to encrypt anew\.[^]*What ends: every login[^]*Dry run: nothing was changed/);
        expect(vars()).toBe(old);

        const { code, output } = await project.run('secrets:rotate');
        expect({ code, output }).toEqual({
            code: 0,
            output: expect.stringMatching(/Encrypted anew: 1\n[^]*Done/) as string,
        });
        expect(vars()).not.toContain('PREVIOUS');
        for (const line of [...old.split('\n'), ...vars().split('\n')]) {
            const value = /^HAPPY_\w+=(.+)/.exec(line)?.[1];
            if (value) expect(output).not.toContain(value);
        }

        await expect
            .poll(() => before.api.account.profile.query({}).catch((error: Error) => error.message), {
                timeout: 60_000,
                interval: 250,
            })
            .toBe('Unauthorized');
        const after = await createHappyClient({ url }).login(secret);
        expect(await after.api.connect.token.query({ vendor: 'openai' })).toEqual({ token: 'sk-1' });
    });
});
