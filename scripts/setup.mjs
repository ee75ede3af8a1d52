/**
 * First step of every command: a Node.js that is new enough, and the dependencies yarn.lock names.
 * Runs before anything is installed, so it uses nothing but Node's own modules.
 */
import { runCommand } from './lib/console.mjs';
import { ensureDependencies } from './lib/install.mjs';
import { requireSupportedNode } from './lib/node-version.mjs';

await runCommand(async () => {
    requireSupportedNode();
    await ensureDependencies();
});
