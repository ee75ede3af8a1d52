import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inProject } from '../../scripts/lib/project.mjs';

/** Runs a program to its end and returns what it printed; rejects with it when the program fails. */
export async function run(file: string, args: string[], cwd = inProject()): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)(file, args, { cwd, maxBuffer: 64 * 1024 * 1024 }).catch(
        (error: Error & { stdout?: string; stderr?: string }) => {
            throw new Error(`${file} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`, { cause: error });
        },
    );
    return stdout + stderr;
}

/** Builds the package's client into dist/client. */
export async function buildClient(): Promise<void> {
    await run(process.execPath, ['--import', 'tsx', 'scripts/build-client.ts']);
}
