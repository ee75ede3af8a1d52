import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import document from '../openapi.json';
import { inProject } from './lib/project.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'happy-openapi-'));

afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
});

/** Lints the committed document as `change` leaves it. */
async function lintAfter(change: (copy: typeof document) => void) {
    const copy = structuredClone(document);
    change(copy);
    const file = path.join(folder, 'changed.json');
    writeFileSync(file, JSON.stringify(copy));
    return lint(file);
}

async function lint(...args: string[]) {
    const run = promisify(execFile)(process.execPath, [inProject('scripts', 'openapi-lint.mjs'), ...args]);
    return run.then(
        ({ stdout }) => ({ code: 0, output: stdout }),
        ({ code, stderr }: { code: number; stderr: string }) => ({ code, output: stderr }),
    );
}

describe('the check of openapi.json against redocly’s rules', () => {
    it('passes for the committed document', async () => {
        expect(await lint()).toEqual({ code: 0, output: expect.stringContaining('openapi.json keeps') });
    });

    it('fails for an error, and says where it is', async () => {
        const { code, output } = await lintAfter((copy) => {
            Object.assign(copy.paths['/v1/sessions'].get, { security: [{ nobody: [] }] });
        });
        expect(code).toBe(1);
        expect(output).toContain('#/paths/~1v1~1sessions/get/security/0/nobody');
        expect(output).toContain('(security-defined)');
    });

    it('fails for a warning too', async () => {
        const { code, output } = await lintAfter((copy) => {
            Reflect.deleteProperty(copy.info, 'license');
        });
        expect(code).toBe(1);
        expect(output).toContain('(info-license)');
    });
});
