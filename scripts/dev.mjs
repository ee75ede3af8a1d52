/**
 * `npm run dev`: everything a bare clone needs to serve on http://localhost:8787, in one command.
 * A single process from the start (no `setup && dev` in package.json): a shell between npm and this process would
 * die of a signal without passing it on, and the server would stay behind.
 */
import { runCommand } from './lib/console.mjs';
import { ensureDependencies } from './lib/install.mjs';
import { requireSupportedNode } from './lib/node-version.mjs';

await runCommand(async () => {
    requireSupportedNode();
    await ensureDependencies();
    const { dev } = await import('./lib/dev-server.mjs');
    await dev(process.argv.slice(2));
});
