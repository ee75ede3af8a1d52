import { Buffer } from 'node:buffer';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '@/crypto/base64';
import { encodeHexUpper } from '@/crypto/hex';
import { accountOf, call, createAccount, createLoginKeys, loginBody } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { connectGithub, githubServices } from '@test/helpers/github';
import { keepErrorLog } from '@test/helpers/log';
import { startServer } from '@test/helpers/server';
import { groups, keyTree, masterSecret, tokenSeed } from '@test/fixtures/vectors/privacy-kit';

const server = startServer();
const SECRET = 'sk-proj-Zq8vT2mLx9Rw4Kd7Bn1Yc6Hs3Gf0Pj5Ua';

/** Everything the database holds, each value as its bytes. */
async function everyStoredValue(): Promise<Buffer[]> {
    const { results: tables } = await env.DB.prepare(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`,
    ).all<{ name: string }>();
    const dumps = await Promise.all(tables.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).raw()));
    return dumps
        .flat(2)
        .map((value) => (Array.isArray(value) ? Buffer.from(value as number[]) : Buffer.from(String(value))));
}

/** Stretches of the secret in every spelling somebody might store it in. */
function spellingsOf(secret: string): Buffer[] {
    const bytes = Buffer.from(secret);
    const pieces = Array.from({ length: bytes.length - 11 }, (_, i) => bytes.subarray(i, i + 12));
    const encoded = pieces.flatMap((piece) => [
        piece,
        Buffer.from(piece).reverse(),
        Buffer.from(piece.toString('utf8'), 'utf16le'),
        Buffer.from(piece.toString('hex')),
        Buffer.from(piece.toString('hex').toUpperCase()),
        Buffer.from(piece.toString('base64').slice(0, 16)),
        Buffer.from(piece.toString('base64url').slice(0, 16)),
        Buffer.from(encodeURIComponent(piece.toString('utf8'))),
        Buffer.from([...piece].join(',')),
    ]);
    return encoded;
}

async function isStored(secret: string): Promise<boolean> {
    const values = await everyStoredValue();
    return spellingsOf(secret).some((spelling) => values.some((value) => value.includes(spelling)));
}

async function moveToken(from: TestAccount, change: string, ...values: string[]): Promise<void> {
    await env.DB.prepare(`UPDATE ServiceAccountToken SET ${change} WHERE accountId = ?`)
        .bind(...values, from.id)
        .run();
}

describe('what is stored of tokens', () => {
    it.each([
        ['as it is', SECRET],
        ['in base64', Buffer.from(`xx${SECRET}`).toString('base64')],
        ['in hex', Buffer.from(SECRET).toString('hex')],
        ['in UTF-16', new Uint8Array(Buffer.from(SECRET, 'utf16le'))],
        ['as bytes', new Uint8Array(Buffer.from(`..${SECRET}`))],
    ])('would be found %s', async (_name, stored) => {
        await env.DB.prepare(`INSERT INTO SimpleCache (key, value, createdAt, updatedAt) VALUES ('control', ?, 0, 0)`)
            .bind(stored)
            .run();
        expect(await isStored(SECRET)).toBe(true);
        await env.DB.prepare(`DELETE FROM SimpleCache WHERE key = 'control'`).run();
        expect(await isStored(SECRET)).toBe(false);
    });

    it('is nothing that can be recovered from a vendor token', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/connect/openai/register', { token: SECRET });
        expect((await account.call('GET', '/v1/connect/openai/token')).body).toEqual({ token: SECRET });
        expect(await isStored(SECRET)).toBe(false);
        const row = await env.DB.prepare('SELECT token FROM ServiceAccountToken WHERE accountId = ?')
            .bind(account.id)
            .first<{ token: number[] }>();
        expect(row?.token[0]).toBe(1);
        expect(row?.token).toHaveLength(1 + 24 + 16 + Buffer.byteLength(SECRET));
    });

    it('is nothing that can be recovered from a GitHub token', async () => {
        const { services, server: linked } = githubServices();
        const account = await createAccount(linked);
        const { location } = await connectGithub(linked, services, account, { accessToken: SECRET });
        expect(location.searchParams.get('github')).toBe('connected');
        expect(await isStored(SECRET)).toBe(false);
        const row = await env.DB.prepare(
            'SELECT token FROM GithubUser g JOIN Account a ON a.githubUserId = g.id WHERE a.id = ?',
        )
            .bind(account.id)
            .first<{ token: number[] }>();
        expect(row?.token[0]).toBe(1);
        expect(row?.token).toHaveLength(1 + 24 + 16 + Buffer.byteLength(SECRET));
    });

    it('is another ciphertext each time', async () => {
        const account = await createAccount(server);
        const stored = async () => {
            await account.call('POST', '/v1/connect/openai/register', { token: SECRET });
            return env.DB.prepare('SELECT hex(token) token FROM ServiceAccountToken WHERE accountId = ?')
                .bind(account.id)
                .first('token');
        };
        expect(await stored()).not.toEqual(await stored());
    });
});

describe('a stored token that is not where it was put', () => {
    const lines = keepErrorLog();

    it('does not open for another account: it is as good as none', async () => {
        const [owner, thief] = [await createAccount(server), await createAccount(server)];
        await owner.call('POST', '/v1/connect/openai/register', { token: SECRET });
        await moveToken(owner, 'accountId = ?', thief.id);
        expect(await thief.call('GET', '/v1/connect/openai/token')).toMatchObject({
            status: 200,
            body: { token: null },
        });
        expect(await thief.call('GET', '/v1/connect/tokens')).toMatchObject({ status: 200, body: { tokens: [] } });
        expect(lines.length).toBe(2);
        expect(lines.join()).toContain('vendor token does not open');
        expect(lines.join()).not.toContain(SECRET);
    });

    it('does not open under another vendor, and can be replaced', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/connect/openai/register', { token: SECRET });
        await moveToken(account, 'vendor = ?', 'gemini');
        expect((await account.call('GET', '/v1/connect/gemini/token')).body).toEqual({ token: null });
        await account.call('POST', '/v1/connect/gemini/register', { token: 'new' });
        expect((await account.call('GET', '/v1/connect/gemini/token')).body).toEqual({ token: 'new' });
    });

    it('does not open when it is damaged, and the others still do', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/connect/openai/register', { token: SECRET });
        await moveToken(account, `token = x'00' || substr(token, 2)`);
        await account.call('POST', '/v1/connect/gemini/register', { token: 'fine' });
        expect((await account.call('GET', '/v1/connect/tokens')).body).toEqual({
            tokens: [{ vendor: 'gemini', token: 'fine' }],
        });
    });
});

describe('a database that a Node server wrote', () => {
    const ACCOUNT = 'cmhs1e4ld0001l508k3f7a2zq';

    it('is read: its AES ciphertexts open', async () => {
        const migrated = startServer(await nodeServersSecrets());
        const keys = await createLoginKeys();
        const insert = `INSERT INTO Account (id, publicKey, createdAt, updatedAt) VALUES (?, ?, 0, 0)`;
        await env.DB.prepare(insert).bind(ACCOUNT, encodeHexUpper(keys.publicKey)).run();
        const written = groups.symmetricEncryptExact.cases.filter(
            ({ secret, path }) => secret === 'hex64' && path[1] === ACCOUNT && path[2] === 'vendors',
        );
        expect(new Set(written.map(({ path }) => path[3])).size).toBe(3);
        for (const { path, ciphertextBase64 } of written.slice(0, 3)) {
            await env.DB.prepare(
                `INSERT INTO ServiceAccountToken (id, accountId, vendor, token, createdAt, updatedAt) VALUES (?1, ?2, ?1, ?3, 0, 0)`,
            )
                .bind(path[3], ACCOUNT, new Uint8Array(Buffer.from(ciphertextBase64, 'base64')))
                .run();
        }

        const { body: login } = await call(migrated, 'POST', '/v1/auth', await loginBody(keys));
        const account = accountOf(migrated, login.token, keys);
        expect(account.id).toBe(ACCOUNT);
        for (const { path, plaintextUtf8 } of written.slice(0, 3)) {
            expect((await account.call('GET', `/v1/connect/${path[3]}/token`)).body).toEqual({ token: plaintextUtf8 });
        }
        expect((await account.call('GET', '/v1/connect/tokens')).body.tokens).toHaveLength(3);
    });
});

/** What the set-up script would derive from the vectors' master secret. */
async function nodeServersSecrets() {
    const secret = masterSecret('hex64');
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret)));
    const keys = new Uint8Array(128);
    keys.set(tokenSeed('persistent', 'hex64', 'handy'));
    keys.set(keyTree('hex64'), 64);
    const fingerprint = encodeHexUpper(digest).toLowerCase().slice(0, 16);
    return { HAPPY_MASTER_SECRET: secret, HAPPY_DERIVED_KEYS: `v1.${fingerprint}.${encodeBase64(keys)}` };
}
