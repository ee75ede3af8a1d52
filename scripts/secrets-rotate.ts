/**
 * `npm run secrets:rotate -- [--env dev|prod] [--dry-run]`: a new master secret and the keys derived from it, in place of
 * the old ones, locally (.dev.vars) or on Cloudflare; the stored tokens of vendors and GitHub are encrypted anew for it.
 * Every login ends. A rotation that broke off is finished by running it again: until then the old secret stays in the
 * file as HAPPY_PREVIOUS_MASTER_SECRET.
 */
import { utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloudflare, requireLogin } from './lib/cloudflare.mjs';
import { readArgs, readEnvName } from './lib/command-args.mjs';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { deriveKeys } from './lib/derive-keys.mjs';
import { readEnvironment, requireDatabaseId } from './lib/environment.mjs';
import { requireLocalDatabase, shownPath, stateFolder } from './lib/local-database.mjs';
import { inProject } from './lib/project.mjs';
import { reencrypt } from './lib/reencrypt';
import type { Reencryption } from './lib/reencrypt';
import { chooseSecrets, vaultOf, writeSecrets } from './lib/rotated-secrets';
import { readTokens, runStatements } from './lib/stored-tokens';
import { listSecrets, secretsFileOf, withSecretsFile } from './lib/worker-secrets.mjs';

const usage = `npm run secrets:rotate -- [--env dev|prod] [--dry-run] [--skip-unreadable] [--settle SECONDS] [--persist-to DIR]

  --env NAME         environment on Cloudflare; without it the local server's .dev.vars and database
  --dry-run          says what would happen and what would be encrypted anew; changes nothing
  --skip-unreadable  goes on although some stored tokens open with no key known here: they stay unreadable
  --settle SECONDS   how long the old secret may still be at work on Cloudflare after the change (default: 15)
  --persist-to DIR   folder of the local database (default: .wrangler/state)`;

/** After this many rounds something writes with the old secret all the time. */
const MAX_ROUNDS = 5;

type Database = Parameters<typeof readTokens>[0];

/** Where the rotation takes place. */
interface Place {
    file: string;
    database: Database;
    /** On Cloudflare. */
    env: 'dev' | 'prod' | null;
    settleMs: number;
}

await runCommand(async () => {
    const { values } = readArgs(
        process.argv.slice(2),
        {
            env: { type: 'string' },
            'dry-run': { type: 'boolean' },
            'skip-unreadable': { type: 'boolean' },
            settle: { type: 'string' },
            'persist-to': { type: 'string' },
        },
        usage,
    );
    const place = await findPlace(values);
    const { oldSecret, newSecret, isResumed } = chooseSecrets(place.file, place.env !== null);
    if (isResumed) say('A rotation was begun before; this one finishes it.');

    say('Reading the stored tokens …');
    const [from, to] = [await vaultOf(oldSecret), await vaultOf(newSecret)];
    const plan = await reencrypt(await readTokens(place.database), from, to);
    report(plan, values['skip-unreadable'] ?? false);
    if (values['dry-run']) {
        say(`\n${describe(place, isResumed)}\n\nDry run: nothing was changed.`);
        return;
    }

    // The old secret is safe on this machine before it goes anywhere else: with it this can be done again.
    writeSecrets(place.file, newSecret, oldSecret);
    try {
        if (place.env) await putSecrets(place.env, newSecret);
        else reloadDevServer();
        const where = shownPath(place.file);
        say(`The new master secret is in ${place.env ? `the Worker and in ${where}` : where}.`);
        await settle(place, plan.statements, () => readTokens(place.database).then((all) => reencrypt(all, from, to)));
    } catch (error) {
        const known = error instanceof CommandError ? error : new CommandError(String(error));
        throw new CommandError(`The rotation is not finished. ${known.message}`, [
            ...known.hints,
            `Run the same command again: both secrets are in ${shownPath(place.file)} until all is done.`,
        ]);
    }
    writeSecrets(place.file, newSecret, null);
    say(farewell(place));
});

async function findPlace(values: { env?: string; settle?: string; 'persist-to'?: string }): Promise<Place> {
    if (values.env === undefined) {
        const state = stateFolder(values['persist-to']);
        requireLocalDatabase(state);
        return { file: inProject('.dev.vars'), database: { state }, env: null, settleMs: 0 };
    }
    const seconds = values.settle ?? '15';
    if (!/^\d{1,3}$/.test(seconds)) throw new CommandError(`"${seconds}" is no number of seconds.`);
    const env = readEnvName(values.env);
    requireDatabaseId(await readEnvironment(env));
    await requireLogin();
    return { file: secretsFileOf(env), database: { env }, env, settleMs: Number(seconds) * 1000 };
}

function report({ statements, done, unreadable }: Reencryption, skipUnreadable: boolean): void {
    const already = done > 0 ? `, ${done} are already` : '';
    say(
        `  ${statements.length} to encrypt anew${already}${unreadable.length > 0 ? `, ${unreadable.length} do not open` : ''}.`,
    );
    if (unreadable.length === 0) return;
    const names = unreadable.slice(0, 10).map(({ table, id }) => `${table} ${id}`);
    if (skipUnreadable) {
        say(`  Left as they are: ${names.join(', ')}${unreadable.length > names.length ? ', …' : ''}`);
        return;
    }
    throw new CommandError(
        `${unreadable.length} of the stored tokens do not open with the master secret that is known here: ${names.join(', ')}.`,
        [
            'Nothing was changed. Is it the master secret that the server has?',
            'If it is, these tokens are unreadable to the server, too, and nothing is lost by going on: --skip-unreadable',
        ],
    );
}

function describe({ env, file }: Place, isResumed: boolean): string {
    const where = env
        ? `as secrets of the Worker (wrangler secret bulk --env ${env}) and in ${shownPath(file)}`
        : `in ${shownPath(file)}`;
    const secret = isResumed ? 'take the new master secret that was made before' : 'make a new master secret';
    return `Would ${secret}, put it and its keys ${where}, and encrypt the tokens above anew.
What ends: every login (clients log in anew with their secret keys, or are paired again), pairings and GitHub links that
are under way, tickets, server challenges, addresses of avatars; ElevenLabs knows the accounts by new names.
What stays: all data, and the tokens of vendors and GitHub.`;
}

/** A dev server reads .dev.vars again when the file beside it, which it watches, has a new time. */
function reloadDevServer(): void {
    const now = new Date();
    utimesSync(inProject('wrangler.toml'), now, now);
}

async function putSecrets(env: 'dev' | 'prod', secret: string): Promise<void> {
    say('Putting the new secret and its keys …');
    const secrets = { HAPPY_MASTER_SECRET: secret, HAPPY_DERIVED_KEYS: deriveKeys(secret) };
    // Both in one call: a Worker never has keys of another secret.
    await withSecretsFile(secrets, (file) =>
        cloudflare(['secret', 'bulk', file, '--env', env], 'The new secret could not be put'),
    );
    if ((await listSecrets(env)).includes('HANDY_MASTER_SECRET')) {
        say(
            `The Worker's HANDY_MASTER_SECRET is of no use now: npx wrangler secret delete HANDY_MASTER_SECRET --env ${env}`,
        );
    }
}

/** Encrypts anew until nothing is left, also what the old secret wrote while the new one was on its way. */
async function settle(place: Place, first: string[], next: () => Promise<Reencryption>): Promise<void> {
    let statements = first;
    for (let round = 0; round < MAX_ROUNDS; round++) {
        if (statements.length > 0) {
            await runStatements(place.database, statements);
            say(`Encrypted anew: ${statements.length}`);
        }
        if (round === 0 && place.settleMs > 0) {
            say(`Waiting ${place.settleMs / 1000} s until the old secret is at work nowhere …`);
            await sleep(place.settleMs);
        }
        ({ statements } = await next());
        if (statements.length === 0) return;
    }
    throw new CommandError('Something keeps writing tokens with the old secret.', [
        'Is the database shared with another server? It has to get the new secret, too.',
    ]);
}

function farewell({ env, file }: Place): string {
    return env
        ? `\nDone: everybody logs in anew. Keep a copy of the new secret (${shownPath(file)}) where it is safe.
Next: npm run deploy -- --env ${env}   (checks the server)`
        : '\nDone: everybody logs in anew. A dev server that runs takes the new secret by itself.';
}
