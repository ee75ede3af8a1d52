/**
 * `npm run db:migrate`, `db:migrate:remote` and `db:migrate:prod`: applies the migrations that a database lacks. Doing it
 * again does nothing.
 */
import { requireLogin } from './lib/cloudflare.mjs';
import { readArgs, readEnvName } from './lib/command-args.mjs';
import { runCommand, say } from './lib/console.mjs';
import { readEnvironment, requireDatabaseId } from './lib/environment.mjs';
import { migrateLocal, migrateRemote } from './lib/migrate.mjs';
import { stateFolder } from './lib/local-database.mjs';

const usage = `npm run db:migrate -- [--persist-to DIR]   the local database
npm run db:migrate:remote                  the database of the environment dev on Cloudflare
npm run db:migrate:prod                    that of prod`;

await runCommand(async () => {
    const options = /** @type {const} */ ({ env: { type: 'string' }, 'persist-to': { type: 'string' } });
    const { values } = readArgs(process.argv.slice(2), options, usage);
    if (values.env === undefined) {
        say(await migrateLocal(stateFolder(values['persist-to'])));
        return;
    }
    const environment = await readEnvironment(readEnvName(values.env));
    requireDatabaseId(environment);
    await requireLogin();
    say(`Applying migrations to ${environment.databaseName} …`);
    say(await migrateRemote(environment));
    say(`Next, if the code changed too: npm run deploy -- --env ${environment.name}`);
});
