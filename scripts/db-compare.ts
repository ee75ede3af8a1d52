/**
 * `npm run db:compare`: holds the Drizzle schema against the Node server's, field by field, and fails on a difference
 * that `src/db/accepted-differences.ts` does not list with its reason.
 */
import { acceptedDifferences } from '@/db/accepted-differences';
import { checkExplanations, compareSchemas } from '@/db/compare';
import { schema } from '@/db/schema';
import nodeSchema from '@test/fixtures/node-schema.json';
import { readArgs } from './lib/command-args.mjs';
import { CommandError, runCommand, say } from './lib/console.mjs';

await runCommand(() => {
    readArgs(process.argv.slice(2), {}, 'npm run db:compare');
    const differences = compareSchemas(nodeSchema, schema);
    const { unexplained, stale } = checkExplanations(differences, acceptedDifferences);
    if (unexplained.length > 0 || stale.length > 0) {
        const lines = [
            ...unexplained.map((line) => `  without a reason: ${line}`),
            ...stale.map((line) => `  no difference any more: ${line}`),
        ];
        throw new CommandError(
            `The schema is not the Node server's ("-" stands there only, "+" here only):\n\n${lines.join('\n')}\n`,
            ['Mend src/db/schema, or give the reason in src/db/accepted-differences.ts.'],
        );
    }
    const { length } = nodeSchema.tables;
    say(`${length} tables of the Node server compared, ${differences.length} differences, each with its reason:\n`);
    for (const { table, lines, reason } of acceptedDifferences) {
        say(`${table}: ${reason}`);
        for (const line of lines) say(`    ${line}`);
    }
});
