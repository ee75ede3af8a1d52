/**
 * `npm run client`: builds the package's client, `happy-server-workers/client`, into dist/client: one JavaScript module
 * that needs nothing else, so that a browser can load it as it is, and declarations free of server code.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'vite';
import { clientDeclarations } from './lib/client-types';
import { runCommand, say } from './lib/console.mjs';
import { inProject } from './lib/project.mjs';

const folder = inProject('dist', 'client');

await runCommand(async () => {
    await build({
        configFile: false,
        root: inProject(),
        publicDir: false,
        logLevel: 'error',
        resolve: { alias: { '@': inProject('src') } },
        build: {
            lib: { entry: inProject('src', 'client', 'index.ts'), formats: ['es'], fileName: 'index' },
            outDir: folder,
            emptyOutDir: true,
            minify: false,
            target: 'es2022',
        },
    });
    mkdirSync(folder, { recursive: true });
    const declarations = clientDeclarations();
    for (const [name, text] of declarations) writeFileSync(path.join(folder, name), text);
    say(`The client is in dist/client (${declarations.size} declaration files).`);
});
