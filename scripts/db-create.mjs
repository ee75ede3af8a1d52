/**
 * `npm run db:create` and `npm run db:create:prod`: makes the D1 database of an environment on Cloudflare, once, and
 * writes its id into wrangler.toml.
 */
import { ensureDatabase, readEnvironment, requireLogin } from './lib/cloudflare.mjs';
import { readArgs, readEnvName } from './lib/command-args.mjs';
import { runCommand, say } from './lib/console.mjs';

await runCommand(async () => {
    const { values } = readArgs(process.argv.slice(2), { env: { type: 'string' } }, 'npm run db:create');
    const environment = await readEnvironment(readEnvName(values.env ?? 'dev'));
    if (environment.databaseId) {
        say(`${environment.databaseName} has an id in wrangler.toml already: ${environment.databaseId}`);
        return;
    }
    await requireLogin();
    const { id, made } = await ensureDatabase(environment);
    say(`${environment.databaseName} ${made ? 'is made' : 'was there already'}; its id ${id} is in wrangler.toml now.`);
    say(`Next: npm run ${environment.name === 'prod' ? 'db:migrate:prod' : 'db:migrate:remote'}`);
});
