/**
 * Wrangler's build command: fills dist/assets, which the Worker serves through its ASSETS binding, so that large
 * documents are no part of the Worker's own code. Runs before every start, deployment and test run.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandError, runCommand } from './lib/console.mjs';
import { inProject, isMain } from './lib/project.mjs';

/** Scalar's viewer with all it needs in one file. Served from here, so that the page asks no outside host for it. */
const viewer = inProject('node_modules', '@scalar', 'fastify-api-reference', 'dist', 'js', 'standalone.js');

/**
 * Writes all static assets; files that are up to date keep their time, so that nothing watching them wakes.
 *
 * @param {string} [source] the committed OpenAPI document
 * @param {string} [folder] where the assets go
 * @throws {CommandError} when the OpenAPI document is missing or no JSON
 */
export function buildAssets(source = inProject('openapi.json'), folder = inProject('dist', 'assets')) {
    mkdirSync(path.join(folder, 'docs'), { recursive: true });
    writeIfChanged(path.join(folder, 'openapi.json'), minifiedJson(source));
    for (const file of ['page.html', 'start.js']) {
        writeIfChanged(path.join(folder, 'docs', file), readFileSync(inProject('assets', 'docs', file), 'utf8'));
    }
    writeIfChanged(path.join(folder, 'docs', 'viewer.js'), readFileSync(viewer, 'utf8'));
}

/** @param {string} file */
function minifiedJson(file) {
    if (!existsSync(file)) {
        throw new CommandError(`${path.basename(file)} is missing.`, ['Make it: npm run openapi']);
    }
    try {
        return JSON.stringify(JSON.parse(readFileSync(file, 'utf8')));
    } catch (error) {
        throw new CommandError(
            `${path.basename(file)} is no valid JSON (${error instanceof Error ? error.message : String(error)}).`,
            ['Make it anew: npm run openapi'],
        );
    }
}

/**
 * @param {string} file
 * @param {string} text
 */
function writeIfChanged(file, text) {
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
        writeFileSync(file, text);
    }
}

if (isMain(import.meta.url)) {
    await runCommand(() => {
        buildAssets();
    });
}
