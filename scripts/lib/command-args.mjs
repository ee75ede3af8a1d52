import { parseArgs } from 'node:util';
import { CommandError, Usage } from './console.mjs';

/**
 * Reads a command's arguments; `--help` is one of every command.
 *
 * @template {import('node:util').ParseArgsConfig['options'] & {}} Options
 * @param {string[]} argv
 * @param {Options} options
 * @param {string} usage shown for `--help`, and when the arguments are wrong
 * @param {number} [most] how many arguments may stand without an option's name
 * @returns {ReturnType<typeof parseArgs<{ args: string[], options: Options, allowPositionals: true }>>}
 * @throws {Usage} when that is what was asked for
 * @throws {CommandError} for an unknown option or argument
 */
export function readArgs(argv, options, usage, most = 0) {
    if (argv.includes('--help')) throw new Usage(usage);
    try {
        const read = parseArgs({ args: argv, options, allowPositionals: true });
        if (read.positionals.length > most) throw new Error(`"${read.positionals[most]}" is one argument too many.`);
        return read;
    } catch (error) {
        // Node adds a sentence on how to pass such an argument on, which nobody wants to here.
        const reason = (error instanceof Error ? error.message : String(error)).replace(/\. To specify .*/s, '.');
        throw new CommandError(`${reason}\n\n${usage}`);
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
