import { execFileSync, spawn } from 'node:child_process';
import {
    cpSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    utimesSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { inProject } from '../../scripts/lib/project.mjs';

const binaries = `${inProject('node_modules', '.bin')}${path.delimiter}${process.env.PATH ?? ''}`;

/** Nothing that hangs may outlive its test. */
const MOST_MS = 200_000;

/** What a command that has ended left. */
export interface Ended {
    code: number | null;
    /** All it printed, in order, without colours. */
    output: string;
}

/** A command that runs. */
export interface Running {
    output(): string;
    ended: Promise<Ended>;
    /** Ends it and all that it started. */
    stop(): Promise<Ended>;
}

/** A copy of this project in a folder of its own, for commands that change what they find. */
export interface ProjectCopy {
    folder: string;
    /** Starts a script of package.json as npm does, without any credentials and with a home of its own. */
    start(script: string, args?: string[], env?: Record<string, string>): Running;
    /** The same, to its end. */
    run(script: string, args?: string[], env?: Record<string, string>): Promise<Ended>;
    remove(): void;
}

/**
 * Copies what git knows or would take, for commands that need the dependencies: those are links to the real ones, so
 * nothing that walks over files and changes them may run there.
 */
export function copyProject(): ProjectCopy {
    const folder = copyFiles([]);
    for (const name of readdirSync(inProject('node_modules'))) {
        const isOwn = name.startsWith('.vite') || name === '.cache' || name === STATE;
        if (!isOwn) symlinkSync(inProject('node_modules', name), path.join(folder, 'node_modules', name));
    }
    return asProject(folder);
}

/** Copies the named files and folders only, and no dependencies: what a command changes there is nobody else's. */
export function copyPart(only: readonly [string, ...string[]]): ProjectCopy {
    return asProject(copyFiles(only));
}

/** Yarn writes it at the end of an install; commands install anew when package.json or yarn.lock are newer. */
const STATE = '.yarn-state.yml';

function copyFiles(only: readonly string[]): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-project-'));
    const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...only], { cwd: inProject() });
    for (const file of listed.toString('utf8').trim().split('\n')) cpSync(inProject(file), path.join(folder, file));
    mkdirSync(path.join(folder, 'node_modules'));
    writeFileSync(path.join(folder, 'node_modules', STATE), '');
    const later = Date.now() / 1000 + 3600;
    utimesSync(path.join(folder, 'node_modules', STATE), later, later);
    return folder;
}

function asProject(folder: string): ProjectCopy {
    const home = path.join(folder, 'home');
    mkdirSync(home);
    const { scripts } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
        scripts: Record<string, string>;
    };
    const copy: ProjectCopy = {
        folder,
        start(script, args = [], env = {}) {
            const line = [scripts[script] ?? `unknown-script-${script}`, ...args.map((arg) => `'${arg}'`)].join(' ');
            return start(line, folder, { ...clean(process.env), HOME: home, PATH: binaries, ...env });
        },
        async run(script, args, env) {
            const running = copy.start(script, args, env);
            const timer = setTimeout(() => void running.stop(), MOST_MS);
            return running.ended.finally(() => clearTimeout(timer));
        },
        remove: () => rmSync(folder, { recursive: true, force: true }),
    };
    return copy;
}

/** Waits until a running command has printed the text; rejects when it ends without. */
export function printed(running: Running, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
        const timer = setInterval(() => {
            if (!running.output().includes(text)) return;
            clearInterval(timer);
            resolve();
        }, 20);
        void running.ended.then(({ output }) => {
            clearInterval(timer);
            if (output.includes(text)) resolve();
            else reject(new Error(`It ended without saying "${text}":\n${output}`));
        });
    });
}

function start(line: string, cwd: string, env: NodeJS.ProcessEnv): Running {
    const child = spawn('sh', ['-c', line], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    const collect = (text: string) => (output += stripVTControlCharacters(text));
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const ended = new Promise<Ended>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => resolve({ code, output }));
    });
    return {
        output: () => output,
        ended,
        stop: () => {
            if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
                process.kill(-child.pid, 'SIGTERM');
            return ended;
        },
    };
}

/** Nothing of whoever runs the tests may decide how a command ends: no login, no npm or test runner above it. */
function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return Object.fromEntries(
        Object.entries(env).filter(
            ([name]) =>
                !/^(CLOUDFLARE_|CF_|WRANGLER_|XDG_|npm_|VITEST|TEST$|NODE_ENV$|HAPPY_|FORCE_COLOR$)/i.test(name),
        ),
    );
}
