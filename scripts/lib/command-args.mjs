import { parseArgs } from 'node:util';
import { CommandError } from './console.mjs';

/**
 * Reads a command's arguments.
 *
 * @template {import('node:util').ParseArgsConfig['options'] & {}} Options
 * @param {string[]} argv
 * @param {Options} options
 * @param {string} usage shown when the arguments are wrong
 * @returns {ReturnType<typeof parseArgs<{ args: string[], options: Options, allowPositionals: true }>>}
 * @throws {CommandError} for an unknown option
 */
export function readArgs(argv, options, usage) {
    try {
        return parseArgs({ args: argv, options, allowPositionals: true });
    } catch (error) {
        throw new CommandError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    }
}

/**
 * The environment a command is for.
 *
 * @param {string | undefined} name
 * @returns {'dev' | 'prod'}
 * @throws {CommandError} for any other
 */
export function readEnvName(name) {
    if (name === 'dev' || name === 'prod') return name;
    throw new CommandError(`"${name}" is no environment of wrangler.toml.`, ['Choose --env dev or --env prod.']);
}
