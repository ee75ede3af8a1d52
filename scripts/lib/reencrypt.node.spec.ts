import { describe, expect, it } from 'vitest';
import { createVault } from '@/crypto/vault';
import { githubTokenPath, vendorTokenPath } from '@/crypto/vault-paths';
import { groups, keyTree } from '@test/fixtures/vectors/privacy-kit';
import { quote, reencrypt } from './reencrypt';
import type { StoredToken } from './reencrypt';

const from = createVault(keyTree('hex64'));
const to = createVault(keyTree('other64'));

function vendorToken(bytes: Uint8Array, accountId: string | null = 'a1', vendor = 'openai'): StoredToken {
    return { table: 'ServiceAccountToken', id: 't1', accountId, vendor, bytes };
}

/** The bytes that a statement writes. */
function written(statement = ''): Uint8Array {
    return new Uint8Array(Buffer.from(/token = X'([0-9a-f]+)'/.exec(statement)?.[1] ?? '', 'hex'));
}

describe('tokens encrypted anew', () => {
    it('open with the new key, under the path they had', async () => {
        const vendor = await from.encryptString(vendorTokenPath('a1', 'openai'), 'sk-1');
        const github = await from.encryptString(githubTokenPath('a2'), 'gho-2');
        const { statements, done, unreadable } = await reencrypt(
            [vendorToken(vendor), { table: 'GithubUser', id: "7'", accountId: 'a2', vendor: null, bytes: github }],
            from,
            to,
        );
        expect({ done, unreadable }).toEqual({ done: 0, unreadable: [] });
        expect(await to.decryptString(vendorTokenPath('a1', 'openai'), written(statements[0]))).toBe('sk-1');
        expect(await to.decryptString(githubTokenPath('a2'), written(statements[1]))).toBe('gho-2');
        expect(statements[0]).toMatch(
            /^UPDATE "ServiceAccountToken" SET .* WHERE id = 't1' AND substr\(token, 1, 25\) = X'01/,
        );
        expect(statements[1]).toMatch(/^UPDATE "GithubUser" SET .* WHERE id = '7''' AND /);
    });

    it('may have been stored by the Node server', async () => {
        const vector = groups.symmetricEncryptExact.cases.find(
            ({ secret, path }) => secret === 'hex64' && path[2] === 'vendors',
        );
        const [, accountId = '', , vendor = ''] = vector?.path ?? [];
        const stored = vendorToken(Buffer.from(vector?.ciphertextBase64 ?? '', 'base64'), accountId, vendor);
        const { statements } = await reencrypt([stored], from, to);
        const text = await to.decryptString(vendorTokenPath(accountId, vendor), written(statements[0]));
        expect(text).toBe(vector?.plaintextUtf8);
    });

    it('are left alone when they are done already', async () => {
        const bytes = await to.encryptString(vendorTokenPath('a1', 'openai'), 'sk-1');
        expect(await reencrypt([vendorToken(bytes)], from, to)).toEqual({ statements: [], done: 1, unreadable: [] });
    });

    it.each([
        [
            'of another key',
            async () =>
                vendorToken(await createVault(new Uint8Array(64)).encryptString(vendorTokenPath('a1', 'openai'), 'x')),
        ],
        ['of another account', async () => vendorToken(await from.encryptString(vendorTokenPath('a2', 'openai'), 'x'))],
        [
            'of no account',
            async () => vendorToken(await from.encryptString(vendorTokenPath('a1', 'openai'), 'x'), null),
        ],
        ['damaged', () => Promise.resolve(vendorToken(new Uint8Array([1, 2, 3])))],
        ['empty', () => Promise.resolve(vendorToken(new Uint8Array()))],
    ])('are named when they do not open: %s', async (_what, make) => {
        const token = await make();
        expect(await reencrypt([token], from, to)).toEqual({ statements: [], done: 0, unreadable: [token] });
    });

    it('quotes text for SQLite', () => {
        expect(quote("it's")).toBe("'it''s'");
    });
});
