/**
 * `npm run db:migrate`, `db:migrate:remote` and `db:migrate:prod`: applies the migrations that a database lacks. Doing it
 * again does nothing.
 */
import { cloudflare, readEnvironment, requireLogin } from './lib/cloudflare.mjs';
import { readArgs, readEnvName } from './lib/command-args.mjs';
import { CommandError, runCommand, say } from './lib/console.mjs';

await runCommand(async () => {
    const options = /** @type {const} */ ({ env: { type: 'string' }, 'persist-to': { type: 'string' } });
    const { values } = readArgs(process.argv.slice(2), options, 'npm run db:migrate -- [--persist-to DIR]');
    const apply = ['d1', 'migrations', 'apply', 'DB'];
    if (values.env === undefined) {
        const state = values['persist-to'] ? ['--persist-to', values['persist-to']] : [];
        say(await cloudflare([...apply, '--local', ...state], 'The migrations could not be applied'));
        return;
    }
    const { name, databaseName, databaseId } = await readEnvironment(readEnvName(values.env));
    if (!databaseId) {
        throw new CommandError(`wrangler.toml has no database id for [env.${name}].`, [
            `Make ${databaseName} and let its id be written there: npm run ${name === 'prod' ? 'db:create:prod' : 'db:create'}`,
        ]);
    }
    await requireLogin();
    say(await cloudflare([...apply, '--remote', '--env', name], 'The migrations could not be applied'));
});
