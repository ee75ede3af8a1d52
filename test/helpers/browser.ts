import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { inProject } from '../../scripts/lib/project.mjs';

/** A Chromium to test in; without one, tests that need it are skipped. */
export const CHROMIUM = [
    process.env.CHROMIUM ?? '',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
].find((file) => file && existsSync(file));

/** A static server of the project's files, on an origin of its own. */
export interface Site {
    url: string;
    stop(): Promise<void>;
}

const TYPES: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };

/** Serves `examples/` and `dist/client/` as any static server does. */
export async function serveExamples(): Promise<Site> {
    const server = createServer((request, response) => {
        const { pathname } = new URL(request.url ?? '/', 'http://site');
        const type = TYPES[path.extname(pathname)];
        if (!type || !/^\/(examples|dist\/client)\/[\w.-]+$/.test(pathname)) {
            response.writeHead(404).end();
            return;
        }
        readFile(inProject(...pathname.split('/').slice(1))).then(
            (body) => response.writeHead(200, { 'Content-Type': type }).end(body),
            () => response.writeHead(404).end(),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        async stop() {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
