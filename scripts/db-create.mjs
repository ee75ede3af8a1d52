/**
 * `npm run db:create` and `npm run db:create:prod`: makes the D1 database of an environment on Cloudflare, once, and
 * writes its id into wrangler.toml. Doing it again does nothing.
 */
import { requireLogin } from './lib/cloudflare.mjs';
import { readArgs, readEnvName } from './lib/command-args.mjs';
import { runCommand, say } from './lib/console.mjs';
import { readEnvironment } from './lib/environment.mjs';
import { ensureDatabase } from './lib/resources.mjs';

const usage = `npm run db:create         makes the database of the environment dev on Cloudflare
npm run db:create:prod    that of prod

Its id is written into wrangler.toml: commit that file.`;

await runCommand(async () => {
    const { values } = readArgs(process.argv.slice(2), { env: { type: 'string' } }, usage);
    const environment = await readEnvironment(readEnvName(values.env ?? 'dev'));
    const { databaseName, databaseId, name } = environment;
    if (databaseId) {
        say(`${databaseName} has an id in wrangler.toml already: ${databaseId}`);
    } else {
        await requireLogin();
        say(`Making ${databaseName} …`);
        const { id, made } = await ensureDatabase(environment);
        say(
            `${databaseName} ${made ? 'is made' : 'was there already'}; its id ${id} is in wrangler.toml now: commit it.`,
        );
    }
    say(`Next: npm run deploy -- --env ${name}   (it applies the migrations, too; on their own: ${migrate(name)})`);
});

/** @param {'dev' | 'prod'} name */
function migrate(name) {
    return `npm run ${name === 'prod' ? 'db:migrate:prod' : 'db:migrate:remote'}`;
}
