import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { until } from '@test/helpers/stock-client';
import { inProject } from '../../scripts/lib/project.mjs';

/** Commands start in seconds, and in many more where the machine is busy. */
const PATIENCE_MS = 90_000;

/** A command that runs. */
export interface RunningCommand {
    /** What it printed, without colours. */
    output(): string;
    /** Types into its terminal. */
    type(text: string): void;
    /** Waits until it has printed what `pattern` finds. */
    printed(pattern: RegExp): Promise<string>;
    /** Waits until it ends; its exit code. */
    ended(): Promise<number>;
}

/** A computer on which a published command line was installed: a home folder of its own, and nothing of this machine's. */
export interface CommandLine {
    start(...args: string[]): RunningCommand;
    /** Runs a command to its end; what it printed. Throws when it fails. */
    run(...args: string[]): Promise<string>;
    /** A JSON file that the command line keeps in its folder. */
    // Tests say themselves what they expect in it.
    // oxlint-disable-next-line typescript/no-explicit-any
    file(name: string): any;
    /** Ends what still runs, its daemon too, and removes the home folder. */
    dispose(): void;
}

/** A home for the command line at `bin`, which is pointed at the server of `url`. */
export function createCommandLine(bin: string, url: string): CommandLine {
    const home = mkdtempSync(path.join(tmpdir(), 'happy-home-'));
    const folder = path.join(home, '.happy');
    const programs = path.join(home, 'bin');
    mkdirSync(programs);
    // By this name both look for an agent; the test's own one passes for it.
    const agent = `#!/bin/sh\nexec '${process.execPath}' '${inProject('test', 'fixtures', 'acp-agent.mjs')}'\n`;
    writeFileSync(path.join(programs, 'gemini'), agent, { mode: 0o755 });
    const env = {
        PATH: [programs, process.env.PATH].join(path.delimiter),
        HOME: home,
        USERPROFILE: home,
        SystemRoot: process.env.SystemRoot,
        HAPPY_HOME_DIR: folder,
        HAPPY_SERVER_URL: url.replace(/\/$/, ''),
        HAPPY_WEBAPP_URL: 'https://app.example.com',
        HAPPY_DISABLE_CAFFEINATE: '1',
        // Or it would open a browser.
        HEADLESS: '1',
        NODE_OPTIONS: `--import ${pathToFileURL(inProject('test', 'fixtures', 'terminal.mjs')).href}`,
    };
    const running = new Set<ReturnType<typeof spawn>>();

    function start(...args: string[]): RunningCommand {
        const child = spawn(process.execPath, ['--no-warnings', '--no-deprecation', bin, ...args], { env, cwd: home });
        running.add(child);
        let printed = '';
        let code: number | undefined;
        child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
        child.on('exit', (exitCode) => {
            running.delete(child);
            code = exitCode ?? -1;
        });
        const output = () => stripVTControlCharacters(printed);
        return {
            output,
            type: (text) => void child.stdin.write(text),
            printed: (pattern) =>
                until(
                    () => {
                        if (code !== undefined && code !== 0) throw new Error(`Ended with ${code}: ${output()}`);
                        return pattern.exec(output())?.[0];
                    },
                    `${pattern} in ${output()}`,
                    PATIENCE_MS,
                ),
            ended: () => until(() => code, `the end of ${args.join(' ')}`, PATIENCE_MS),
        };
    }

    return {
        start,
        async run(...args) {
            const command = start(...args);
            const code = await command.ended();
            if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${command.output()}`);
            return command.output();
        },
        file: (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')),
        dispose() {
            for (const child of running) child.kill('SIGKILL');
            const state = path.join(folder, 'daemon.state.json');
            if (existsSync(state)) kill(JSON.parse(readFileSync(state, 'utf8')).pid);
            rmSync(home, { recursive: true, force: true });
        },
    };
}

function kill(pid: number): void {
    try {
        process.kill(pid, 'SIGKILL');
    } catch {
        // It has ended.
    }
}
