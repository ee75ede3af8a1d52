import { stripVTControlCharacters } from 'node:util';
import { CommandError } from './console.mjs';
import { runWrangler } from './wrangler.mjs';

/** What Cloudflare or wrangler say, and what to do about it. */
const HINTS = /** @type {const} */ ([
    [/More than one account/i, 'Set CLOUDFLARE_ACCOUNT_ID to the account that is meant; wrangler lists them above.'],
    [
        /code: 10042\]|enable R2/i,
        'Switch R2 on for the account, once (there is a free tier): https://dash.cloudflare.com/?to=/:account/r2',
    ],
    [
        /workers\.dev subdomain/i,
        'Choose a workers.dev name for the account, once: https://dash.cloudflare.com/?to=/:account/workers/onboarding',
    ],
    [
        /code: (9106|9109|10000|10001)\]|Authentication error/i,
        'An API token needs these permissions for the account: Workers Scripts, D1 and Workers R2 Storage, each Edit, and Account Settings Read. Who logged in by npx wrangler login may do it again.',
    ],
    [
        /fetch failed|ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN/i,
        "Cloudflare's API could not be reached. Check the network; behind a proxy set HTTPS_PROXY.",
    ],
]);

/**
 * What to do about a failure, read from what wrangler printed.
 *
 * @param {string} output
 * @returns {string[]}
 */
export function cloudflareHints(output) {
    return HINTS.filter(([said]) => said.test(output)).map(([, hint]) => hint);
}

/**
 * Makes sure that wrangler may act for somebody.
 *
 * @throws {CommandError} saying how to log in
 */
export async function requireLogin() {
    if (process.env.CLOUDFLARE_API_TOKEN) return;
    const { output } = await runWrangler(['whoami']);
    if (output.includes('You are logged in')) return;
    throw new CommandError('Nobody is logged in to Cloudflare.', [
        'At your own machine: npx wrangler login',
        'Elsewhere: set CLOUDFLARE_API_TOKEN, and CLOUDFLARE_ACCOUNT_ID if the token can see several accounts.',
        ...cloudflareHints(output),
    ]);
}

/**
 * Runs wrangler and returns what it printed to stdout.
 *
 * @param {string[]} args
 * @param {string} purpose what failed if it does, as in "The database could not be made"
 * @throws {CommandError} with wrangler's own words
 */
export async function cloudflare(args, purpose) {
    const { code, output, stdout } = await runWrangler(args);
    if (code !== 0) throw wranglerError(args, purpose, output);
    return stdout;
}

/**
 * A failure of wrangler, with its own words and what to do about it.
 *
 * @param {string[]} args
 * @param {string} purpose
 * @param {string} output
 */
export function wranglerError(args, purpose, output) {
    const words = stripVTControlCharacters(output)
        .split('\n')
        .filter((line) => line.trim() && !/Logs were written to|please open an issue|⛅️|^─+$/.test(line))
        .map((line) => `    ${line.trimEnd()}`);
    const shown = args.map((arg) => (/^[\w@:./=-]+$/.test(arg) ? arg : '…')).join(' ');
    return new CommandError(`${purpose} (wrangler ${shown}):\n\n${words.join('\n')}`, cloudflareHints(output));
}
