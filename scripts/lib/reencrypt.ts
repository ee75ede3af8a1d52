import { DecryptionError } from '@/crypto/decryption-error';
import type { Vault } from '@/crypto/vault';
import { githubTokenPath, vendorTokenPath } from '@/crypto/vault-paths';

/** A stored token as a row of the database has it. */
export interface StoredToken {
    table: 'ServiceAccountToken' | 'GithubUser';
    id: string;
    /** Null when the row belongs to no account any more: then no key of any path opens it. */
    accountId: string | null;
    /** Of vendor tokens. */
    vendor: string | null;
    bytes: Uint8Array;
}

/** What is to be done about the tokens. */
export interface Reencryption {
    /** Statements, each of which changes a token that is still what was read. */
    statements: string[];
    /** How many open with the new key already. */
    done: number;
    /** Rows that neither key opens, and those of no account: they cannot be read now, and stay as they are. */
    unreadable: StoredToken[];
}

/** Bytes that tell one encryption of a token from every other: version and nonce. */
const MARK_BYTES = 25;

/**
 * Encrypts anew, for the new key, what opens with the old one. Doing it again finds nothing to do.
 * @throws what is no `DecryptionError`
 */
export async function reencrypt(tokens: readonly StoredToken[], from: Vault, to: Vault): Promise<Reencryption> {
    const result: Reencryption = { statements: [], done: 0, unreadable: [] };
    for (const token of tokens) {
        const path = pathOf(token);
        if (!path) {
            result.unreadable.push(token);
        } else if ((await open(to, path, token.bytes)) !== null) {
            result.done += 1;
        } else {
            const text = await open(from, path, token.bytes);
            if (text === null) result.unreadable.push(token);
            else result.statements.push(replace(token, await to.encryptString(path, text)));
        }
    }
    return result;
}

function pathOf({ table, accountId, vendor }: StoredToken): string[] | null {
    if (accountId === null) return null;
    return table === 'GithubUser' ? githubTokenPath(accountId) : vendorTokenPath(accountId, vendor ?? '');
}

async function open(vault: Vault, path: readonly string[], bytes: Uint8Array): Promise<string | null> {
    try {
        return await vault.decryptString(path, bytes);
    } catch (error) {
        if (error instanceof DecryptionError) return null;
        throw error;
    }
}

/** A token that its owner replaced meanwhile is another one, and left alone. */
function replace({ table, id, bytes }: StoredToken, next: Uint8Array): string {
    const mark = hex(bytes.subarray(0, MARK_BYTES));
    return `UPDATE "${table}" SET token = X'${hex(next)}' WHERE id = ${quote(id)} AND substr(token, 1, ${MARK_BYTES}) = X'${mark}'`;
}

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString('hex');
}

/** Text as SQLite's literal. */
export function quote(text: string): string {
    return `'${text.replaceAll("'", "''")}'`;
}
