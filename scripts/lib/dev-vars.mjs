import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * The start that keys derived from this master secret carry (contract 3.1): `v1.<fingerprint>.`
 *
 * @param {string} masterSecret used as the text it is
 */
function derivedKeysPrefix(masterSecret) {
    return `v1.${createHash('sha256').update(masterSecret, 'utf8').digest('hex').slice(0, 16)}.`;
}

/**
 * The text with `NAME=value` set: in place where the file has the name, else as a new last line.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} value without quotes, blanks or `#`
 */
function setVariable(text, name, value) {
    const line = new RegExp(String.raw`^[ \t]*(?:export[ \t]+)?${name}[ \t]*=.*$`, 'm');
    if (line.test(text)) {
        return text.replace(line, `${name}=${value}`);
    }
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${name}=${value}\n`;
}

const freshFile = `# Secrets of the local server, made by \`npm run dev\`. Never commit this file.
# Everything that may stand here is described in .dev.vars.example.
`;

/**
 * Completes the text of a .dev.vars file: a master secret where there is none, and the keys derived from the
 * master secret that is there. All other lines stay as they are.
 *
 * @param {string | null} text null when there is no file yet
 * @param {(masterSecret: string) => string} deriveKeys
 * @returns {{ text: string, madeSecret: boolean, madeKeys: boolean }}
 */
export function completeDevVars(text, deriveKeys) {
    let next = text ?? freshFile;
    const variables = parseEnv(next);
    let secret = variables.HAPPY_MASTER_SECRET || variables.HANDY_MASTER_SECRET;
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
 * @returns {{ madeSecret: boolean, madeKeys: boolean }} what was missing
 */
export function ensureDevVars(file, deriveKeys) {
    const before = existsSync(file) ? readFileSync(file, 'utf8') : null;
    const { text, madeSecret, madeKeys } = completeDevVars(before, deriveKeys);
    if (text !== before) {
        // Written beside and renamed: a watching server never reads half a file.
        const draft = `${file}.${process.pid}.tmp`;
        writeFileSync(draft, text, { mode: 0o600 });
        renameSync(draft, file);
    }
    chmodSync(file, 0o600);
    return { madeSecret, madeKeys };
}
