/**
 * `npm run deploy -- [--env prod|dev] [--dry-run] [--url URL]`: everything from a login at Cloudflare to a server that
 * answers. Makes what is missing (database, bucket, master secret), applies the migrations, deploys code and secrets
 * together, and asks the new server whether it is ready. Doing it again changes only what changed.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { checkServer } from './lib/check-server.mjs';
import { cloudflare, requireLogin } from './lib/cloudflare.mjs';
import { readArgs, readEnvName } from './lib/command-args.mjs';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { deriveKeys } from './lib/derive-keys.mjs';
import { ensureEnvironmentVars, masterSecretOf, readDevVars } from './lib/dev-vars.mjs';
import { readEnvironment } from './lib/environment.mjs';
import { shownPath } from './lib/local-database.mjs';
import { migrateRemote } from './lib/migrate.mjs';
import { ensureBucket, ensureDatabase } from './lib/resources.mjs';
import { runSteps } from './lib/steps.mjs';
import {
    knownVariables,
    listSecrets,
    masterSecretPlan,
    otherSecrets,
    PREVIOUS,
    secretsFileOf,
    withSecretsFile,
} from './lib/worker-secrets.mjs';

const usage = `npm run deploy -- [--env prod|dev] [--dry-run] [--url URL]

  --env NAME  environment of wrangler.toml: prod (default) or dev
  --dry-run   says step by step what would happen, bundles the Worker, and asks Cloudflare nothing
  --url URL   where the server is reached, if not at its workers.dev address

Log in first: npx wrangler login, or set CLOUDFLARE_API_TOKEN.
Secrets beside the master secret (.dev.vars.example describes all) are read from .dev.vars.prod or .dev.vars.dev.`;

await runCommand(async () => {
    const options = /** @type {const} */ ({
        env: { type: 'string' },
        'dry-run': { type: 'boolean' },
        url: { type: 'string' },
    });
    const { values } = readArgs(process.argv.slice(2), options, usage);
    const env = readEnvName(values.env ?? 'prod');
    const isDryRun = values['dry-run'] ?? false;
    if (values.url !== undefined && !/^https?:\/\/[^/\s]+\/?$/.test(values.url)) {
        throw new CommandError(`"${values.url}" is not the address of a server.`, [
            'For example: https://happy.example.com',
        ]);
    }
    const environment = await readEnvironment(env);
    const file = secretsFileOf(env);
    const variables = readDevVars(file);
    const others = otherSecrets(variables, environment.variables, knownVariables(), shownPath(file));
    let url = values.url?.replace(/\/$/, '');
    /** @type {Record<string, string>} */
    let secrets = others;

    say(
        isDryRun
            ? `Dry run: nothing is changed, at Cloudflare or here (${env}).\n`
            : `Deploying ${environment.worker} (${env})\n`,
    );
    await runSteps(
        [
            {
                title: 'Check the login at Cloudflare',
                would: 'use CLOUDFLARE_API_TOKEN if it is set, else the login of npx wrangler login',
                run: async () => {
                    await requireLogin();
                    return process.env.CLOUDFLARE_API_TOKEN ? 'CLOUDFLARE_API_TOKEN is set' : 'logged in';
                },
            },
            {
                title: 'Bundle the Worker',
                would: `wrangler deploy --dry-run --env ${env}`,
                isHarmless: true,
                run: () => bundle(env),
            },
            {
                title: `Make sure of the database ${environment.databaseName}`,
                would: environment.databaseId
                    ? `nothing: its id is in wrangler.toml (${environment.databaseId})`
                    : `make it if the account has none of that name, and write its id into wrangler.toml`,
                run: async () => {
                    if (environment.databaseId) return `its id is in wrangler.toml (${environment.databaseId})`;
                    const { id, made } = await ensureDatabase(environment);
                    return `${made ? 'made' : 'was there'}; its id ${id} is in wrangler.toml now: commit it`;
                },
            },
            {
                title: `Make sure of the bucket ${environment.bucket}`,
                would: 'make it if the account has none of that name',
                run: async () => ((await ensureBucket(environment)).made ? 'made' : 'is there'),
            },
            {
                title: 'Gather the secrets',
                would: describeSecrets(variables, Object.keys(others), shownPath(file)),
                run: async () => {
                    const gathered = await gatherSecrets(env, file, others);
                    secrets = gathered.secrets;
                    return gathered.said;
                },
            },
            {
                title: `Apply the migrations to ${environment.databaseName}`,
                would: `wrangler d1 migrations apply DB --remote --env ${env}`,
                run: () => migrateRemote(environment),
            },
            {
                title: `Deploy the Worker ${environment.worker}`,
                would: `wrangler deploy --env ${env}, with the secrets in the same deployment`,
                run: async () => {
                    const found = await deploy(env, secrets);
                    url ??= found;
                    return found ? `deployed to ${found}` : 'deployed';
                },
            },
            {
                title: 'Ask the new server whether it is ready',
                would: `GET /health and /ready at ${url ?? 'the address that wrangler names'}, for up to 90 s`,
                run: async () => {
                    if (!url) {
                        throw new CommandError('The Worker is deployed, but wrangler named no address for it.', [
                            `If it has a route or a domain of its own: npm run deploy -- --env ${env} --url https://…`,
                        ]);
                    }
                    await checkServer(url);
                    return 'it is';
                },
            },
        ],
        isDryRun,
    );
    if (PREVIOUS in variables) say(`\nA rotation was not finished. Next: npm run secrets:rotate -- --env ${env}`);
    say(isDryRun ? `\nAll well. Without --dry-run: npm run deploy -- --env ${env}` : farewell(String(url), env));
});

/** @param {'dev' | 'prod'} env */
async function bundle(env) {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-deploy-'));
    try {
        const args = ['deploy', '--dry-run', '--env', env, '--outdir', folder];
        const output = await cloudflare(args, 'The Worker could not be bundled');
        const size = /Total Upload: .*gzip: ([\d.]+ \w+)/.exec(stripVTControlCharacters(output));
        return size ? `${size[1]} gzip to upload` : 'bundled';
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/**
 * @param {Record<string, string>} variables
 * @param {string[]} others
 * @param {string} file
 */
function describeSecrets(variables, others, file) {
    const master = masterSecretOf(variables) ? `the one of ${file}` : `a new one, kept in ${file}`;
    const rest = others.length > 0 ? `; put ${others.join(', ')} of ${file}` : '';
    return `keep the Worker's HAPPY_MASTER_SECRET and HAPPY_DERIVED_KEYS if it has both, else put ${master}, and its keys${rest}`;
}

/**
 * The secrets to put with the deployment. What is new is on this machine first: nothing at Cloudflare can be read back.
 *
 * @param {'dev' | 'prod'} env
 * @param {string} file
 * @param {Record<string, string>} others
 */
async function gatherSecrets(env, file, others) {
    const before = readDevVars(file);
    const isKnown = masterSecretOf(before) !== undefined;
    const plan = masterSecretPlan(await listSecrets(env), isKnown, shownPath(file), env);
    const names = Object.keys(others);
    const rest = names.length > 0 ? `; also ${names.join(', ')}` : '';
    if (plan === 'keep') return { secrets: others, said: `the Worker keeps its master secret and keys${rest}` };

    const isNew = !existsSync(file);
    ensureEnvironmentVars(file, env, deriveKeys);
    const { HAPPY_DERIVED_KEYS = '', ...variables } = readDevVars(file);
    const secrets = { ...others, HAPPY_MASTER_SECRET: masterSecretOf(variables) ?? '', HAPPY_DERIVED_KEYS };
    const said =
        plan === 'make'
            ? `made a master secret, ${isNew ? 'in' : 'added to'} ${shownPath(file)}: keep a copy where it is safe, nothing at Cloudflare can be read back`
            : `master secret of ${shownPath(file)}, and its keys`;
    return { secrets, said: said + rest };
}

/**
 * @param {'dev' | 'prod'} env
 * @param {Record<string, string>} secrets
 * @returns {Promise<string | undefined>} the server's address, if wrangler names one
 */
async function deploy(env, secrets) {
    const args = ['deploy', '--env', env];
    const purpose = 'The Worker could not be deployed';
    const output = stripVTControlCharacters(
        Object.keys(secrets).length === 0
            ? await cloudflare(args, purpose)
            : await withSecretsFile(secrets, (file) => cloudflare([...args, '--secrets-file', file], purpose)),
    );
    const domain = /^\s+(\S+) \(custom domain/m.exec(output);
    return domain ? `https://${domain[1]}` : /^\s+(https:\/\/\S+)\s*$/m.exec(output)?.[1];
}

/**
 * @param {string} url
 * @param {'dev' | 'prod'} env
 */
function farewell(url, env) {
    return `
Happy server (${env}) is ready: ${url}

  Happy CLI    HAPPY_SERVER_URL=${url} happy
  Happy app    ${url} as server URL in its settings
  The API      ${url}/docs
  Its log      npx wrangler tail --env ${env}`;
}
