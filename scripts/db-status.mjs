/**
 * `npm run db:status`: the tables of the local database with their row counts, and the migrations it lacks.
 */
import { readdirSync } from 'node:fs';
import { readArgs } from './lib/command-args.mjs';
import { runCommand, say } from './lib/console.mjs';
import { query } from './lib/d1.mjs';
import { queryLocal, stateFolder } from './lib/local-database.mjs';
import { inProject } from './lib/project.mjs';

const usage = `npm run db:status -- [--persist-to DIR]

  --persist-to DIR  folder of the local database (default: .wrangler/state)`;

await runCommand(async () => {
    const options = /** @type {const} */ ({ 'persist-to': { type: 'string' } });
    const { values } = readArgs(process.argv.slice(2), options, usage);
    const state = stateFolder(values['persist-to']);
    const listed = await queryLocal(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' ORDER BY name",
        state,
    );
    const names = listed.map(({ name }) => String(name));
    const counts = names.map((name) => `(SELECT count(*) FROM "${name}") AS "${name}"`);
    const migrations = names.includes('d1_migrations') ? '; SELECT name FROM d1_migrations' : '';
    const [[rows] = [], applied = []] = await query({ state }, `SELECT ${counts.join(', ') || 'NULL'}${migrations}`);
    const width = Math.max(5, ...names.map((name) => name.length));
    say(`${'Table'.padEnd(width)}  Rows`);
    for (const name of names) say(`${name.padEnd(width)}  ${String(rows?.[name])}`);

    const done = new Set(applied.map(({ name }) => name));
    const all = readdirSync(inProject('drizzle', 'migrations')).filter((file) => file.endsWith('.sql'));
    const missing = all.filter((file) => !done.has(file));
    say(`\n${names.length} tables; ${all.length - missing.length} of ${all.length} migrations applied.`);
    if (missing.length > 0) say(`Next: npm run db:migrate, to apply ${missing.join(', ')}.`);
});
