// Writes the next migration from src/db/schema: drizzle-kit, and then WITHOUT ROWID, which drizzle-kit does not know.
//   node scripts/db-generate.mjs --name what_changed
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Small rows with a natural key: without a rowid the key is the row, and an insert writes one row less.
// SessionMessage is here because its table is then in the order it is read.
const WITHOUT_ROWID = [
    'GlobalLock',
    'PushTicket',
    'RepeatKey',
    'RevokedToken',
    'SessionMessage',
    'UsedChallenge',
    'UserRelationship',
];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'drizzle/migrations');

const listMigrations = () =>
    existsSync(folder)
        ? readdirSync(folder)
              .filter((file) => file.endsWith('.sql'))
              .sort()
        : [];

/** CREATE TABLE of one table, also under the name drizzle-kit gives it while rebuilding it. */
const createTable = (/** @type {string} */ table) =>
    new RegExp('^(CREATE TABLE [`"](?:__new_)?' + table + '[`"] \\([\\s\\S]*?\\n\\))( WITHOUT ROWID)?;', 'gm');

const before = new Set(listMigrations());
const drizzleKit = join(root, 'node_modules/drizzle-kit/bin.cjs');
const run = spawnSync(process.execPath, [drizzleKit, 'generate', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
});
if (run.status !== 0) process.exit(run.status ?? 1);

// Migrations that are already there may have been applied somewhere: only new files are changed.
const added = listMigrations().filter((file) => !before.has(file));
for (const file of added) {
    const path = join(folder, file);
    let text = readFileSync(path, 'utf8');
    for (const table of WITHOUT_ROWID) {
        const changed = text.replace(createTable(table), '$1 WITHOUT ROWID;');
        if (changed !== text) console.log(`${file}: ${table} is WITHOUT ROWID`);
        text = changed;
    }
    writeFileSync(path, text);
    for (const [, table] of text.matchAll(/RENAME TO [`"](\w+)[`"]/g)) {
        console.warn(
            `${file}: rebuilds ${table}. D1 keeps foreign keys on, so DROP TABLE cascades to the rows that refer to it,`,
        );
        console.warn(
            '    or fails where they restrict. Write the change without a rebuild if any table refers to this one.',
        );
    }
}

// A run that broke off, or a table listed too late, must not pass unseen.
const all = listMigrations()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
const withRowid = WITHOUT_ROWID.filter((table) => [...all.matchAll(createTable(table))].at(-1)?.[2] === undefined);
if (withRowid.length > 0) {
    console.error(`Not WITHOUT ROWID in the latest migration that creates them: ${withRowid.join(', ')}.`);
    console.error(
        'Delete that migration with its snapshot and journal entry if it was never applied, and run this again.',
    );
    process.exit(1);
}
console.log(added.length > 0 ? `New: ${added.join(', ')}` : 'No new migration.');
