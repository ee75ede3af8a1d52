import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { wranglerError } from './cloudflare.mjs';
import { CommandError } from './console.mjs';
import { writeSecretFile } from './dev-vars.mjs';
import { inProject } from './project.mjs';
import { runWrangler } from './wrangler.mjs';

/** The secrets that everything hangs on; only `npm run secrets:rotate` replaces them. */
const MASTER_NAMES = ['HAPPY_MASTER_SECRET', 'HANDY_MASTER_SECRET'];
const KEYS = 'HAPPY_DERIVED_KEYS';

/** Stands in a .dev.vars file while the master secret is being rotated; it is for no Worker. */
export const PREVIOUS = 'HAPPY_PREVIOUS_MASTER_SECRET';

/**
 * The file in which the secrets of an environment are kept on this machine, in the form of .dev.vars.
 *
 * @param {'dev' | 'prod'} env
 */
export function secretsFileOf(env) {
    return inProject(`.dev.vars.${env}`);
}

/**
 * Names of all variables there are, from .dev.vars.example.
 *
 * @param {string} [file]
 * @returns {string[]}
 */
export function knownVariables(file = inProject('.dev.vars.example')) {
    return [...readFileSync(file, 'utf8').matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)].flatMap(([, name]) => name ?? []);
}

/**
 * Variables of a .dev.vars file that a Worker gets as secrets, beside the master secret and its keys.
 *
 * @param {Record<string, string>} variables
 * @param {readonly string[]} taken names that wrangler.toml sets, for which Cloudflare takes no secret
 * @param {readonly string[]} known
 * @param {string} file for the message
 * @returns {Record<string, string>}
 * @throws {CommandError} naming what no code reads, which is mostly a typing error
 */
export function otherSecrets(variables, taken, known, file) {
    const apart = new Set([...MASTER_NAMES, KEYS, PREVIOUS]);
    const names = Object.keys(variables).filter((name) => !apart.has(name));
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) {
        throw new CommandError(`${file} has what this server does not read: ${unknown.join(', ')}.`, [
            'Every name is in .dev.vars.example; a new one that the code reads belongs there, too.',
        ]);
    }
    const double = names.filter((name) => taken.includes(name));
    if (double.length > 0) {
        throw new CommandError(`${file} sets what wrangler.toml sets as well: ${double.join(', ')}.`, [
            'Remove it from one of the two: Cloudflare takes a name once.',
        ]);
    }
    return Object.fromEntries(names.map((name) => [name, variables[name] ?? '']));
}

/**
 * What a deployment does about the master secret and its keys. A Worker that has both keeps them: another master secret
 * would log everybody out and make stored tokens unreadable.
 *
 * @param {readonly string[]} there names of the Worker's secrets
 * @param {boolean} isKnown whether this machine knows the master secret
 * @param {string} file for the message
 * @param {'dev' | 'prod'} env
 * @returns {'keep' | 'put' | 'make'}
 * @throws {CommandError} when the Worker has a master secret that is needed here, and is not known
 */
export function masterSecretPlan(there, isKnown, file, env) {
    const master = MASTER_NAMES.find((name) => there.includes(name));
    if (master && there.includes(KEYS)) return 'keep';
    if (isKnown) return 'put';
    if (!master) return 'make';
    throw new CommandError(
        `The Worker has the secret ${master}, but not the keys derived from it, and Cloudflare shows nobody what it is.`,
        [
            `Write it into ${file} (HAPPY_MASTER_SECRET=…) and deploy again: the keys are derived from it.`,
            `If nobody knows it any more: npx wrangler secret delete ${master} --env ${env}, and deploy again. A new one is made; everybody has to log in anew.`,
        ],
    );
}

/**
 * Names of a Worker's secrets; none while there is no such Worker.
 *
 * @param {'dev' | 'prod'} env
 * @returns {Promise<string[]>}
 */
export async function listSecrets(env) {
    const args = ['secret', 'list', '--env', env];
    const { code, output, stdout } = await runWrangler(args);
    if (code === 0) {
        /** @type {{ name: string }[]} */
        const secrets = JSON.parse(stdout);
        return secrets.map(({ name }) => name);
    }
    if (/code: 10007\]|Worker "[^"]+"[^\n]* not found/.test(output)) return [];
    throw wranglerError(args, "The Worker's secrets could not be listed", output);
}

/**
 * Lends secrets as a JSON file that only this user can read, and deletes it.
 *
 * @template Result
 * @param {Record<string, string>} secrets
 * @param {(file: string) => Promise<Result>} use
 * @returns {Promise<Result>}
 */
export async function withSecretsFile(secrets, use) {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-secrets-'));
    try {
        const file = path.join(folder, 'secrets.json');
        writeSecretFile(file, JSON.stringify(secrets));
        return await use(file);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
