import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { derivedKeysPrefix } from './derive-keys.mjs';

/**
 * The text with `NAME=value` set: in place where the file has the name, else as a new last line.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} value without quotes, blanks or `#`
 */
export function setVariable(text, name, value) {
    const line = lineOf(name);
    if (line.test(text)) {
        return text.replace(line, () => `${name}=${value}`);
    }
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${name}=${value}\n`;
}

/**
 * The text without the variable.
 *
 * @param {string} text
 * @param {string} name
 */
export function removeVariable(text, name) {
    return text.replace(new RegExp(`${lineOf(name).source}\\r?\\n?`, 'gm'), '');
}

/** @param {string} name */
function lineOf(name) {
    return new RegExp(String.raw`^[ \t]*(?:export[ \t]+)?${name}[ \t]*=.*$`, 'm');
}

/**
 * The start of a new file.
 *
 * @param {string} whose
 * @param {string} command
 */
function freshFile(whose, command) {
    return `# Secrets of ${whose}, made by \`${command}\`. Never commit this file.
# Everything that may stand here is described in .dev.vars.example.
`;
}

/**
 * The master secret among variables; the older name counts where the newer says nothing.
 *
 * @param {Record<string, string | undefined>} variables
 * @returns {string | undefined}
 */
export function masterSecretOf({ HAPPY_MASTER_SECRET, HANDY_MASTER_SECRET }) {
    return HAPPY_MASTER_SECRET || HANDY_MASTER_SECRET || undefined;
}

/**
 * Completes the text of a .dev.vars file: a master secret where there is none, and the keys derived from the
 * master secret that is there. All other lines stay as they are.
 *
 * @param {string | null} text null when there is no file yet
 * @param {(masterSecret: string) => string} deriveKeys
 * @param {string} [start] of a new file
 * @returns {{ text: string, madeSecret: boolean, madeKeys: boolean }}
 */
export function completeDevVars(text, deriveKeys, start = freshFile('the local server', 'npm run dev')) {
    let next = text ?? start;
    const variables = parseEnv(next);
    let secret = masterSecretOf(variables);
    const madeSecret = !secret;
    if (!secret) {
        secret = randomBytes(32).toString('hex');
        next = setVariable(next, 'HAPPY_MASTER_SECRET', secret);
    }
    const madeKeys = !variables.HAPPY_DERIVED_KEYS?.startsWith(derivedKeysPrefix(secret));
    if (madeKeys) {
        next = setVariable(next, 'HAPPY_DERIVED_KEYS', deriveKeys(secret));
    }
    return { text: next, madeSecret, madeKeys };
}

/**
 * Makes or completes a .dev.vars file that only its owner can read.
 *
 * @param {string} file
 * @param {(masterSecret: string) => string} deriveKeys
 * @param {string} [start] of a new file
 * @returns {{ madeSecret: boolean, madeKeys: boolean }} what was missing
 */
export function ensureDevVars(file, deriveKeys, start) {
    const before = existsSync(file) ? readFileSync(file, 'utf8') : null;
    const { text, madeSecret, madeKeys } = completeDevVars(before, deriveKeys, start);
    if (text !== before) {
        writeSecretFile(file, text);
    }
    chmodSync(file, 0o600);
    return { madeSecret, madeKeys };
}

/**
 * Makes or completes the file with the secrets of an environment on Cloudflare.
 *
 * @param {string} file
 * @param {'dev' | 'prod'} environment
 * @param {(masterSecret: string) => string} deriveKeys
 */
export function ensureEnvironmentVars(file, environment, deriveKeys) {
    return ensureDevVars(file, deriveKeys, freshFile(`the environment ${environment}`, 'npm run deploy'));
}

/**
 * The variables of a .dev.vars file; empty ones are none.
 *
 * @param {string} file
 * @returns {Record<string, string>} empty when there is no file
 */
export function readDevVars(file) {
    const variables = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
    return Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/**
 * Writes a file that only its owner can read, beside the old one and renamed: a watching server never reads half of it.
 *
 * @param {string} file
 * @param {string} text
 */
export function writeSecretFile(file, text) {
    const draft = `${file}.${process.pid}.tmp`;
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, file);
}
