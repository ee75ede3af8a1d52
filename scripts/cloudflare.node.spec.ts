import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { githubTokenPath, vendorTokenPath } from '@/crypto/vault-paths';
import { startCloudflareApi } from '@test/helpers/cloudflare-api';
import type { CloudflareApi } from '@test/helpers/cloudflare-api';
import { copyProject } from '@test/helpers/command';
import type { ProjectCopy } from '@test/helpers/command';
import { deriveKeys } from './lib/derive-keys.mjs';
import { vaultOf } from './lib/rotated-secrets';

/** The real wrangler, against a stand-in for Cloudflare's API: an empty account at first. Each test goes on from the last. */
describe('from an empty account to a server, and on', () => {
    let api: CloudflareApi;
    let project: ProjectCopy;
    const outputs: string[] = [];
    const secrets = new Set(['sk-openai', 'gho-1']);

    const run = async (script: string, ...args: string[]) => {
        const ended = await project.run(script, args, api.env);
        outputs.push(ended.output);
        for (const secret of api.secrets.values()) secrets.add(secret);
        return ended;
    };
    const file = (name: string) => readFileSync(path.join(project.folder, name), 'utf8');
    const vars = () => parseEnv(file('.dev.vars.prod'));
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    /** Stores a vendor token as a Worker with the secret does. */
    const storeVendorToken = async (vendor: string, secret: string) => {
        const bytes = await (await vaultOf(secret)).encryptString(vendorTokenPath('a1', vendor), `sk-${vendor}`);
        await api.sql(
            `INSERT INTO ServiceAccountToken (id, accountId, vendor, token, createdAt, updatedAt) VALUES ('${vendor}', 'a1', '${vendor}', X'${hex(bytes)}', 1, 1)`,
        );
    };

    beforeAll(async () => {
        api = await startCloudflareApi();
        project = copyProject();
    });
    afterAll(async () => {
        await api.close();
        project.remove();
    });

    it('db:create:prod makes the database and writes its id where prod has it', async () => {
        const { code, output } = await run('db:create:prod');
        expect({ code, output }).toEqual({
            code: 0,
            output: expect.stringMatching(
                /happy-prod is made; its id 1{8}-[^]*Next: npm run deploy -- --env prod/,
            ) as string,
        });
        expect(api.changes).toEqual(['POST d1/database']);
        expect(file('wrangler.toml')).toMatch(/database_name = "happy-prod"\ndatabase_id = "11111111-/);
        expect(file('wrangler.toml')).toMatch(/database_name = "happy-dev"\ndatabase_id = "REPLACE_/);
    });

    it('a deployment that fails half-way says what is done and what is not', async () => {
        writeFileSync(path.join(project.folder, '.dev.vars.prod'), 'EXPO_ACCESS_TOKEN=expo-secret\n');
        api.failOnce('/query', 10000, 'Authentication error');
        const { code, output } = await run('deploy');
        expect(code).toBe(1);
        expect(output).toMatch(/Step 6 of 8 failed\. The migrations could not be applied to happy-prod/);
        expect(output).toMatch(/An API token needs these permissions/);
        expect(output).toMatch(/Done before: [^\n]*Make sure of the bucket happy-prod-uploads; Gather the secrets\.\n/);
        expect(output).toMatch(
            /Not done: Apply the migrations to happy-prod; Deploy the Worker [^\n]*\n[^]*run the same command again/,
        );
        expect(api.deployments).toEqual([]);
        // What was made for the Worker is not lost: it was written here first.
        expect(vars().HAPPY_MASTER_SECRET).toMatch(/^[0-9a-f]{64}$/);
    });

    it('the same command again goes on from there: code, secrets and database belong together', async () => {
        const secret = vars().HAPPY_MASTER_SECRET ?? '';
        const { code, output } = await run('deploy', '--url', api.workerUrl);
        expect({ code, output }).toEqual({
            code: 0,
            output: expect.stringContaining(`is ready: ${api.workerUrl}`) as string,
        });
        expect(Object.fromEntries(api.secrets)).toEqual({
            EXPO_ACCESS_TOKEN: 'expo-secret',
            HAPPY_MASTER_SECRET: secret,
            HAPPY_DERIVED_KEYS: deriveKeys(secret),
        });
        expect(api.deployments).toHaveLength(1);
        expect(api.deployments[0]?.bindings).toMatchObject({
            d1: ['DB'],
            r2_bucket: ['UPLOADS'],
            plain_text: ['ENVIRONMENT'],
        });
        expect(await api.sql('SELECT count(*) AS n FROM Account')).toEqual([{ n: 0 }]);
    });

    it('a rotation with another secret than the server has changes nothing', async () => {
        const old = vars().HAPPY_MASTER_SECRET ?? '';
        await api.sql(
            `INSERT INTO GithubUser (id, profile, token, createdAt, updatedAt) VALUES ('7', '{}', X'00', 1, 1)`,
        );
        await api.sql(
            `INSERT INTO Account (id, publicKey, seq, feedSeq, settingsVersion, githubUserId, createdAt, updatedAt) VALUES ('a1', 'K', 0, 0, 0, '7', 1, 1)`,
        );
        const github = await (await vaultOf(old)).encryptString(githubTokenPath('a1'), 'gho-1');
        await api.sql(`UPDATE GithubUser SET token = X'${hex(github)}'`);
        await storeVendorToken('openai', old);

        const right = file('.dev.vars.prod');
        writeFileSync(path.join(project.folder, '.dev.vars.prod'), right.replace(old, 'another'));
        const { code, output } = await run('secrets:rotate', '--env', 'prod');
        expect(code).toBe(1);
        expect(output).toMatch(
            /2 of the stored tokens do not open[^]*ServiceAccountToken openai[^]*Nothing was changed/,
        );
        expect(api.secrets.get('HAPPY_MASTER_SECRET')).toBe(old);
        writeFileSync(path.join(project.folder, '.dev.vars.prod'), right);
    });

    it('a rotation that breaks off is finished by the same command; no token is lost, also of what the old secret wrote', async () => {
        const old = vars().HAPPY_MASTER_SECRET ?? '';
        api.onCall((call) => {
            // As soon as the new secret is at the Worker the database is out of reach.
            if (!call.startsWith('PATCH')) return;
            api.failOnce('/query', 7500, 'Overloaded');
            api.onCall(() => undefined);
        });
        const broken = await run('secrets:rotate', '--env', 'prod', '--settle', '0');
        expect(broken.code).toBe(1);
        expect(broken.output).toMatch(/The rotation is not finished[^]*Overloaded[^]*Run the same command again/);
        const secret = api.secrets.get('HAPPY_MASTER_SECRET') ?? '';
        expect(secret).not.toBe(old);
        expect(vars()).toMatchObject({ HAPPY_MASTER_SECRET: secret, HAPPY_PREVIOUS_MASTER_SECRET: old });
        await storeVendorToken('anthropic', old);

        const { code, output } = await run('secrets:rotate', '--env', 'prod', '--settle', '0');
        expect({ code, output }).toEqual({
            code: 0,
            output: expect.stringMatching(
                /A rotation was begun before[^]*3 to encrypt anew[^]*Encrypted anew: 3[^]*Done/,
            ) as string,
        });
        expect(Object.fromEntries(api.secrets)).toEqual({
            EXPO_ACCESS_TOKEN: 'expo-secret',
            HAPPY_MASTER_SECRET: secret,
            HAPPY_DERIVED_KEYS: deriveKeys(secret),
        });
        expect(vars()).toMatchObject({ EXPO_ACCESS_TOKEN: 'expo-secret', HAPPY_MASTER_SECRET: secret });
        expect(vars()).not.toHaveProperty('HAPPY_PREVIOUS_MASTER_SECRET');

        const vault = await vaultOf(secret);
        const rows = await api.sql('SELECT vendor, hex(token) AS token FROM ServiceAccountToken ORDER BY vendor');
        const opened = rows.map(({ vendor, token }) =>
            vault.decryptString(vendorTokenPath('a1', String(vendor)), Buffer.from(String(token), 'hex')),
        );
        expect(await Promise.all(opened)).toEqual(['sk-anthropic', 'sk-openai']);
        const [github] = await api.sql('SELECT hex(token) AS token FROM GithubUser');
        expect(await vault.decryptString(githubTokenPath('a1'), Buffer.from(String(github?.token), 'hex'))).toBe(
            'gho-1',
        );
    });

    it('a deployment from a machine with another master secret leaves that of the Worker alone', async () => {
        const before = Object.fromEntries(api.secrets);
        writeFileSync(path.join(project.folder, '.dev.vars.prod'), 'HAPPY_MASTER_SECRET=another\n');
        const { code, output } = await run('deploy', '--url', api.workerUrl);
        expect({ code, output }).toEqual({
            code: 0,
            output: expect.stringMatching(
                /the Worker keeps its master secret and keys\n[^]*No migration was missing/,
            ) as string,
        });
        expect(Object.fromEntries(api.secrets)).toEqual(before);
        expect(api.deployments).toHaveLength(2);
    });

    it('no command printed a secret', () => {
        expect([...secrets].filter((secret) => outputs.some((output) => output.includes(secret)))).toEqual([]);
    });
});
