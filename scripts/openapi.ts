/**
 * `npm run openapi` writes openapi.json from the procedures; with `--check` it only compares, for CI.
 * The document is made ahead of time and committed, so that the Worker carries no generator and a change of the
 * public surface shows in the diff.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { buildOpenApiDocument } from './lib/openapi-document';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { inProject } from './lib/project.mjs';

const file = inProject('openapi.json');

/** The line where two texts part, for a reader who wants to know what moved. */
function firstDifference(committed: string, generated: string): string {
    const before = committed.split('\n');
    const after = generated.split('\n');
    const line = after.findIndex((text, index) => text !== before[index]);
    const at = line === -1 ? after.length : line;
    return `line ${at + 1}\n      committed: ${before[at] ?? '(end)'}\n      now:       ${after[at] ?? '(end)'}`;
}

await runCommand(() => {
    const generated = `${JSON.stringify(buildOpenApiDocument(), null, 4)}\n`;
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (!process.argv.includes('--check')) {
        if (committed !== generated) {
            writeFileSync(file, generated);
        }
        say(committed === generated ? 'openapi.json was up to date.' : 'openapi.json is written; commit it.');
        return;
    }
    if (committed !== generated) {
        throw new CommandError(
            `openapi.json is not what the procedures say; they part at ${firstDifference(committed, generated)}`,
            ['Mend it: npm run openapi, then commit openapi.json.'],
        );
    }
    say('openapi.json matches the procedures.');
});
