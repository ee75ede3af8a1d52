/**
 * `npm run dev`: everything a bare clone needs to serve on http://localhost:8787, in one command. It does the set-up
 * itself, so that a signal meets one process from the first moment on.
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
