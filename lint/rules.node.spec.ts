import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { inProject } from '../scripts/lib/project.mjs';
import plugin from './plugin.mjs';
import config from '../oxlint.json';

interface Report {
    diagnostics: { code?: string; message: string; filename: string }[];
}

const PLUGIN = inProject('lint', 'plugin.mjs');

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-lint-'));
    try {
        return await work(folder);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** What oxlint itself reports of the files in a folder, by the `oxlint.json` in it. */
async function oxlint(folder: string): Promise<Report['diagnostics']> {
    const bin = inProject('node_modules', 'oxlint', 'bin', 'oxlint');
    const run = promisify(execFile)(process.execPath, [bin, '-c', 'oxlint.json', '-f', 'json', '.'], { cwd: folder });
    // oxlint exits with 1 when it found something.
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    return (JSON.parse(stdout) as Report).diagnostics;
}

/** Each piece of code as a file of its own, linted with one rule: what is reported, by piece. */
function lint(rule: string, pieces: string[]): Promise<string[][]> {
    return inFolder(async (folder) => {
        pieces.forEach((code, index) => writeFileSync(path.join(folder, `${index}.ts`), code));
        const settings = {
            jsPlugins: [PLUGIN],
            categories: { correctness: 'off' },
            rules: { [`happy/${rule}`]: 'error' },
        };
        writeFileSync(path.join(folder, 'oxlint.json'), JSON.stringify(settings));
        const found = await oxlint(folder);
        return pieces.map((_, index) =>
            found.filter(({ filename }) => path.basename(filename) === `${index}.ts`).map(({ message }) => message),
        );
    });
}

/** A rule over code that it lets pass, and over code of which it reports each piece once. */
function check(rule: string, { valid, invalid }: { valid: string[]; invalid: Record<string, RegExp> }) {
    describe(`happy/${rule}`, () => {
        const pieces = [...valid, ...Object.keys(invalid)];
        let reports: string[][] = [];
        beforeAll(async () => {
            reports = await lint(rule, pieces);
        });

        it.each(valid)('lets pass: %s', (code) => {
            expect(reports[pieces.indexOf(code)]).toEqual([]);
        });

        it.each(Object.entries(invalid))('reports: %s', (code, message) => {
            expect(reports[pieces.indexOf(code)]).toEqual([expect.stringMatching(message)]);
        });
    });
}

check('github-casing', {
    valid: [
        'interface GitHubLink {}',
        'const githubUserId = 1; githubUserId;',
        'function linkGithub() {}',
        "const table = 'GithubUser'; db.from('GithubUser');",
        'const GITHUB_URL = 1;',
    ],
    invalid: {
        'interface GithubLink {}': /GitHubLink, not GithubLink/,
        'class MyGithubClient {}': /MyGitHubClient/,
        "import { GithubLink } from './link';": /GitHubLink/,
        'let link: GithubLink;': /GitHubLink/,
        'type A = { Githubs: string };': /GitHubs/,
    },
});

check('no-transaction', {
    valid: [
        'db.batch([]);',
        'transaction();',
        'const { transaction } = row;',
        'db.transactions();',
        "storage['transactionSync'](f);",
    ],
    invalid: {
        'db.transaction(async (tx) => tx.insert());': /one batch/,
        "ctx.db['transaction'](f);": /one batch/,
        'db?.transaction(f);': /one batch/,
        '(db as Any).transaction!(f);': /one batch/,
    },
});

check('no-ambient-time-or-ids', {
    valid: [
        'ctx.now();',
        'new Date(ctx.now());',
        'ctx.newUuid();',
        'Date.UTC(2026);',
        'crypto.subtle;',
        'row.now;',
        'const { now } = ctx;',
        'const { now } = row, { subtle } = crypto;',
        'new Thing();',
    ],
    invalid: {
        'const now = Date.now();': /Date\.now.*ctx\.now\(\)/,
        'globalThis.Date.now();': /Date\.now/,
        'list.map(Date.now);': /Date\.now/,
        'performance.now();': /ctx\.now\(\)/,
        'new Date();': /new Date\(ctx\.now\(\)\)/,
        'crypto.randomUUID();': /ctx\.newUuid\(\)/,
        "globalThis['crypto'].randomUUID();": /ctx\.newUuid\(\)/,
        "import { randomUUID } from 'node:crypto';": /ctx\.newUuid\(\)/,
        "import { randomUUID as uuid } from 'node:crypto';": /ctx\.newUuid\(\)/,
        'Math.random();': /ctx\.newId\(\)/,
        'crypto.getRandomValues(new Uint8Array(8));': /ctx\.newUuid\(\)/,
        'const { now } = Date;': /ctx\.now\(\)/,
        'const { subtle, randomUUID: uuid } = crypto;': /ctx\.newUuid\(\)/,
    },
});

check('router-without-database', {
    valid: [
        "import { listSessions } from '@/routers/sessions/service';",
        "import { dbl } from '@/dbl';",
        "import { a } from './adb/x';",
        'export const router = 1;',
    ],
    invalid: {
        "import { getDb } from '@/db/client';": /service’s/,
        "import type { Db } from '@/db';": /service’s/,
        "import { eq } from 'drizzle-orm';": /service’s/,
        "import { text } from 'drizzle-orm/sqlite-core';": /service’s/,
        "import { schema } from '../../db/schema';": /service’s/,
        "const db = await import('@/db/client');": /service’s/,
        "export { getDb } from '@/db/client';": /service’s/,
        "export * from '@/db/schema';": /service’s/,
    },
});

check('protocol-helpers', {
    valid: [
        'getSessionId(data);',
        'connection.sessionId;',
        'const { sessionId, machineId } = connection;',
        'const event = { sid: session.id };',
        'row.id ?? other.id;',
        'connection.sessionId ?? connection.machineId;',
        'socketEvent(Schema, (ctx, { message }) => send(ctx, message));',
        'const { time } = parse(Beat, data);',
        'data[sessionId];',
    ],
    invalid: {
        'stop(event.sid);': /getSessionId/,
        'stop(data.sessionId);': /getSessionId/,
        "stop(update.body['machineId']);": /getMachineId/,
        'stop((payload as Any)!.machineId);': /getMachineId/,
        'const { sid } = data;': /getSessionId/,
        'const { machineId: id, time } = parse(Beat, data);': /getMachineId/,
        'socketEvent(Schema, async (ctx, { sid, ...input }) => stop(ctx, sid));': /getSessionId/,
        'socketEvent(Schema, (ctx, { machineId }) => stop(ctx, machineId), failure);': /getMachineId/,
        'const id = row.machineId ?? row.id;': /names of an id by getMachineId/,
        'const id = row.sessionId || row.id;': /names of an id by getSessionId/,
    },
});

describe('oxlint.json', () => {
    /** Code that breaks each rule, and files in which it is on and off. */
    const places: Record<string, { code: string; on: string[]; off: string[] }> = {
        'github-casing': {
            code: 'export interface GithubLink { id: string }',
            on: ['src/routers/x/service.ts', 'src/x.spec.ts', 'scripts/x.ts', 'bench/x.ts'],
            off: [],
        },
        'no-transaction': {
            code: 'export const f = (db: { transaction(): void }) => db.transaction();',
            on: ['src/routers/x/service.ts', 'src/db/x.ts', 'src/realtime/x.ts', 'scripts/x.ts'],
            off: [],
        },
        'no-ambient-time-or-ids': {
            code: 'export const f = () => Date.now();',
            on: ['src/routers/x/service.ts', 'src/routers/x/sub-topic.ts', 'src/routers/x/router.ts'],
            off: ['src/routers/x/service.spec.ts', 'src/http/context.ts', 'src/realtime/x.ts', 'scripts/x.ts'],
        },
        'router-without-database': {
            code: "import { getDb } from '@/db/client'; export { getDb as f };",
            on: ['src/routers/x/router.ts'],
            off: ['src/routers/x/service.ts', 'src/http/x.ts'],
        },
        'protocol-helpers': {
            code: 'export const f = (data: { sid: string }) => data.sid;',
            on: ['src/realtime/events/x.ts', 'src/realtime/x.ts', 'src/routers/x/service.ts'],
            off: ['src/realtime/protocol/ids.ts', 'src/x.spec.ts', 'test/helpers/x.ts'],
        },
    };

    it('knows every rule', () => {
        expect(Object.keys(places).sort()).toEqual(Object.keys(plugin.rules).sort());
    });

    it.each(Object.entries(places))('has %s on where it belongs, and nowhere else', async (rule, { code, on, off }) => {
        const reported = await inFolder(async (folder) => {
            // Without types, which are not here.
            const settings = { ...config, $schema: undefined, options: {}, jsPlugins: [PLUGIN] };
            writeFileSync(path.join(folder, 'oxlint.json'), JSON.stringify(settings));
            for (const file of [...on, ...off]) {
                mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
                writeFileSync(path.join(folder, file), code);
            }
            const found = await oxlint(folder);
            return found.filter((problem) => problem.code === `happy(${rule})`).map(({ filename }) => filename);
        });
        expect(reported.sort()).toEqual(on.sort());
    });
});
