/**
 * `npm run client`: builds the package's client, `happy-server-workers/client`, into dist/client: one JavaScript module
 * that needs nothing else, so that a browser can load it as it is, and declarations free of server code.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'vite';
import { clientDeclarations } from './lib/client-types';
import { runCommand, say } from './lib/console.mjs';
import { inProject } from './lib/project.mjs';

const folder = inProject('dist', 'client');

await runCommand(async () => {
    mkdirSync(folder, { recursive: true });
    const made = mkdtempSync(inProject('dist', 'client-'));
    await build({
        configFile: false,
        root: inProject(),
        publicDir: false,
        logLevel: 'error',
        resolve: { alias: { '@': inProject('src') } },
        build: {
            lib: { entry: inProject('src', 'client', 'index.ts'), formats: ['es'], fileName: 'index' },
            outDir: made,
            minify: false,
            target: 'es2022',
        },
    });
    const declarations = clientDeclarations();
    for (const [name, text] of declarations) writeFileSync(path.join(made, name), text);
    replace(made);
    say(`The client is in dist/client (${declarations.size} declaration files).`);
});

/** Puts the new files in place one by one, each whole at any moment: two builds at once, or a reader, do no harm. */
function replace(made: string): void {
    const names = readdirSync(made);
    for (const name of names) renameSync(path.join(made, name), path.join(folder, name));
    for (const old of readdirSync(folder).filter((name) => !names.includes(name))) rmSync(path.join(folder, old));
    rmSync(made, { recursive: true });
}
