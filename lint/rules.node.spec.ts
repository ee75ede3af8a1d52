import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** Each piece of code as a file of its own, linted with one rule by oxlint itself: what is reported, by piece. */
async function lint(rule: string, pieces: string[]): Promise<string[][]> {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-lint-'));
    try {
        pieces.forEach((code, index) => writeFileSync(path.join(folder, `${index}.ts`), code));
        const settings = {
            jsPlugins: [inProject('lint', 'plugin.mjs')],
            categories: { correctness: 'off' },
            rules: { [`happy/${rule}`]: 'error' },
        };
        writeFileSync(path.join(folder, 'oxlint.json'), JSON.stringify(settings));
        const oxlint = inProject('node_modules', 'oxlint', 'bin', 'oxlint');
        const run = promisify(execFile)(process.execPath, [oxlint, '-c', 'oxlint.json', '-f', 'json', '.'], {
            cwd: folder,
        });
        // oxlint exits with 1 when it found something.
        const { stdout } = await run.catch((error: { stdout: string }) => error);
        const { diagnostics } = JSON.parse(stdout) as Report;
        return pieces.map((_, index) =>
            diagnostics
                .filter(({ filename }) => path.basename(filename) === `${index}.ts`)
                .map(({ message }) => message),
        );
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
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

it('every rule is on somewhere', () => {
    const rules = [config.rules, ...config.overrides.map((override) => override.rules)].flatMap((group) =>
        Object.entries(group).flatMap(([name, level]) => (level === 'error' ? name : [])),
    );
    for (const name of Object.keys(plugin.rules)) expect(rules).toContain(`happy/${name}`);
});
