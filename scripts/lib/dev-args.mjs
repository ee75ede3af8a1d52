import path from 'node:path';
import { parseArgs } from 'node:util';
import { CommandError } from './console.mjs';
import { inProject } from './project.mjs';

/**
 * What `npm run dev` was asked for.
 *
 * @typedef {object} DevOptions
 * @property {number} port
 * @property {string} ip the address to listen on
 * @property {string} persistTo absolute folder of the local state
 * @property {boolean} quiet only say when the server is ready
 * @property {boolean} help
 */

export const devUsage = `npm run dev -- [options]        (yarn dev [options])

  --port N          port to listen on (default: the variable PORT, else 8787)
  --ip ADDRESS      address to listen on (default: localhost; 0.0.0.0 for phones in the same network)
  --persist-to DIR  folder of the local database and files (default: .wrangler/state)
  --quiet           only say when the server is ready
  --help            this text`;

/**
 * Reads the arguments of `npm run dev`.
 *
 * @param {string[]} argv
 * @param {Record<string, string | undefined>} env
 * @returns {DevOptions}
 * @throws {CommandError} for an unknown option or a port that is none
 */
export function readDevArgs(argv, env) {
    const { values } = parse(argv);
    const portText = values.port ?? (env.PORT || '8787');
    const port = Number(portText);
    if (!/^\d+$/.test(portText) || port < 1 || port > 65_535) {
        throw new CommandError(`"${portText}" is not a port.`, [
            'Choose a number from 1 to 65535, for example --port 9000.',
        ]);
    }
    return {
        port,
        ip: values.ip ?? 'localhost',
        persistTo: values['persist-to'] ? path.resolve(values['persist-to']) : inProject('.wrangler', 'state'),
        quiet: values.quiet ?? false,
        help: values.help ?? false,
    };
}

/** @param {string[]} argv */
function parse(argv) {
    try {
        return parseArgs({
            args: argv,
            options: {
                port: { type: 'string' },
                ip: { type: 'string' },
                'persist-to': { type: 'string' },
                quiet: { type: 'boolean' },
                help: { type: 'boolean' },
            },
        });
    } catch (error) {
        throw new CommandError(`${error instanceof Error ? error.message : String(error)}\n\n${devUsage}`);
    }
}
