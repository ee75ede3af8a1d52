/**
 * `npm run db:reset`: throws the local data away (database, files, the hubs' logs) and makes an empty database.
 * Asks first, or takes --yes.
 */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { readArgs } from './lib/command-args.mjs';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { shownPath, stateFolder } from './lib/local-database.mjs';
import { migrateLocal } from './lib/migrate.mjs';

/** @param {string} state */
async function confirm(state) {
    if (!process.stdin.isTTY) {
        throw new CommandError(`This deletes all local data in ${shownPath(state)}, and there is nobody to ask.`, [
            'If that is what you want: npm run db:reset -- --yes',
        ]);
    }
    const questions = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await questions.question(`Delete all local data in ${shownPath(state)}? (yes/no) `);
    questions.close();
    if (answer.trim() !== 'yes') throw new CommandError('Nothing was deleted.');
}

const usage = `npm run db:reset -- [--yes] [--persist-to DIR]

  --yes             does not ask
  --persist-to DIR  folder of the local database and files (default: .wrangler/state)`;

await runCommand(async () => {
    const options = /** @type {const} */ ({ yes: { type: 'boolean' }, 'persist-to': { type: 'string' } });
    const { values } = readArgs(process.argv.slice(2), options, usage);
    const state = stateFolder(values['persist-to']);
    if (existsSync(path.join(state, 'v3'))) {
        if (!values.yes) await confirm(state);
        // Rows, files and logs belong together: what refers to a row that is gone is of no use.
        rmSync(path.join(state, 'v3'), { recursive: true, force: true });
        say('The local data is deleted. A dev server that runs now has to be started again.');
    }
    await migrateLocal(state);
    say('The local database is empty and up to date. Next: npm run dev, and npm run db:seed in another terminal.');
});
