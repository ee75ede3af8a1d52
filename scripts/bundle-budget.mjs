/**
 * `npm run bundle`: the size of the Worker as it would be deployed, against the budget of contract 11.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { runWrangler } from './lib/wrangler.mjs';

const budget = 150 * 1024;

/**
 * Gzip size in bytes of all JavaScript modules below a folder; WebAssembly, source maps and notes don't count.
 *
 * @param {string} folder
 */
export function gzippedModules(folder) {
    const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.m?js$/.test(file));
    return modules
        .map((file) => gzipSync(readFileSync(path.join(folder, file)), { level: 9 }).length)
        .reduce((sum, size) => sum + size, 0);
}

await runCommand(async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-bundle-'));
    try {
        const args = ['deploy', '--dry-run', '--env', 'prod', '--outdir', folder];
        const { code, output } = await runWrangler(args);
        if (code !== 0) {
            throw new CommandError(`The Worker could not be bundled (wrangler ${args.join(' ')}):\n\n${output}`, [
                'Mend what is named above; npm run typecheck finds most of it.',
            ]);
        }
        const size = gzippedModules(folder);
        say(`bundle: ${(size / 1024).toFixed(1)} KB gzip of ${budget / 1024} KB`);
        if (size === 0 || size > budget) {
            throw new CommandError(
                size === 0
                    ? 'Wrangler left no JavaScript to measure.'
                    : `The bundle is ${size - budget} bytes too large.`,
                [`See what is in it: npx wrangler deploy --dry-run --env prod --outdir dist/bundle --metafile`],
            );
        }
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});
