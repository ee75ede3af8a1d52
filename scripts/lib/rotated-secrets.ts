import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { parseDerivedKeys } from '@/crypto/derived-keys';
import { createVault } from '@/crypto/vault';
import type { Vault } from '@/crypto/vault';
import { CommandError } from './console.mjs';
import { deriveKeys } from './derive-keys.mjs';
import { masterSecretOf, readDevVars, removeVariable, setVariable, writeSecretFile } from './dev-vars.mjs';
import { shownPath } from './local-database.mjs';
import { PREVIOUS } from './worker-secrets.mjs';

interface Secrets {
    oldSecret: string;
    newSecret: string;
    /** A rotation broke off before. */
    isResumed: boolean;
}

/**
 * The secret to replace and the one in its place; both are in the file already when a rotation broke off.
 *
 * @throws CommandError when the file has no master secret
 */
export function chooseSecrets(file: string, isRemote: boolean): Secrets {
    const variables = readDevVars(file);
    const current = masterSecretOf(variables);
    if (!current) {
        const hints = isRemote
            ? [
                  `Write the one that the Worker has into ${shownPath(file)}: HAPPY_MASTER_SECRET=… (npm run deploy, which made it, wrote it there).`,
                  'It is needed to open the stored tokens, and Cloudflare shows nobody what it is.',
              ]
            : ['npm run dev makes one.'];
        throw new CommandError(`There is no master secret in ${shownPath(file)}.`, hints);
    }
    const previous = variables[PREVIOUS];
    return previous
        ? { oldSecret: previous, newSecret: current, isResumed: true }
        : { oldSecret: current, newSecret: randomBytes(32).toString('hex'), isResumed: false };
}

/** What a server with this master secret encrypts with (contract 3.3). */
export async function vaultOf(masterSecret: string): Promise<Vault> {
    const { keyTree } = await parseDerivedKeys(deriveKeys(masterSecret), masterSecret);
    return createVault(keyTree);
}

/**
 * Puts the new secret and its keys into the file, and keeps the old one there until `previous` is null. All other lines
 * stay as they are.
 *
 * @throws CommandError when the file would not say what it should; it is left alone then
 */
export function writeSecrets(file: string, secret: string, previous: string | null): void {
    let text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // The older name would be a second secret beside the new one.
    text = removeVariable(text, 'HANDY_MASTER_SECRET');
    text = setVariable(text, 'HAPPY_MASTER_SECRET', secret);
    text = setVariable(text, 'HAPPY_DERIVED_KEYS', deriveKeys(secret));
    text = previous === null ? removeVariable(text, PREVIOUS) : setVariable(text, PREVIOUS, quoted(previous));
    const read = parseEnv(text);
    if (read.HAPPY_MASTER_SECRET !== secret || (previous !== null && read[PREVIOUS] !== previous)) {
        throw new CommandError(`${shownPath(file)} could not be rewritten; nothing was changed.`, [
            `HAPPY_MASTER_SECRET and ${PREVIOUS} may stand there once, each on a line of its own.`,
        ]);
    }
    writeSecretFile(file, text);
}

/** A secret that a person chose may hold blanks, quotes or #. */
function quoted(secret: string): string {
    if (/^[\w+/=.-]+$/.test(secret)) return secret;
    const mark = ["'", '"', '`'].find((candidate) => !secret.includes(candidate)) ?? "'";
    return `${mark}${secret}${mark}`;
}
