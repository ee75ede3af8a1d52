/**
 * Checks openapi.json, or the file that is named, against redocly's recommended rules; warnings fail too.
 * Part of `npm run openapi:check`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { inProject } from './lib/project.mjs';

/**
 * @typedef {object} Problem
 * @property {string} ruleId
 * @property {string} message
 * @property {{ pointer?: string }[]} location
 */

/**
 * The problems redocly finds in a document.
 *
 * @param {string} file relative to the project
 * @returns {{ problems: Problem[], totals: { ignored: number } }} without those of .redocly.lint-ignore.yaml, which are counted
 * @throws {CommandError} when redocly does not run
 */
export function lintDocument(file) {
    const bin = inProject('node_modules', '@redocly', 'cli', 'bin', 'cli.js');
    const run = spawnSync(process.execPath, [bin, 'lint', file, '--format=json'], {
        cwd: inProject(),
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    try {
        return /** @type {{ problems: Problem[], totals: { ignored: number } }} */ (JSON.parse(run.stdout));
    } catch {
        throw new CommandError(`redocly lint ${file} did not run:\n\n${run.stderr || run.stdout || String(run.error)}`);
    }
}

await runCommand(() => {
    const file = process.argv[2] ? path.relative(inProject(), path.resolve(process.argv[2])) : 'openapi.json';
    const { problems, totals } = lintDocument(file);
    if (problems.length > 0) {
        const lines = problems.map(
            ({ ruleId, message, location }) => `  ${location[0]?.pointer ?? '#'}\n      ${message} (${ruleId})`,
        );
        throw new CommandError(`${file} does not keep redocly's recommended rules:\n\n${lines.join('\n')}\n`, [
            'Mend the procedure or the fragment in scripts/lib that it comes from, then: npm run openapi',
        ]);
    }
    const listed = readFileSync(inProject('.redocly.lint-ignore.yaml'), 'utf8').match(/^ +- '#/gm)?.length ?? 0;
    if (file === 'openapi.json' && totals.ignored !== listed) {
        throw new CommandError(
            `.redocly.lint-ignore.yaml lets ${listed} problems pass, but only ${totals.ignored} of them are there.`,
            ['Remove the entries that are mended.'],
        );
    }
    say(`${file} keeps redocly's recommended rules.`);
});
