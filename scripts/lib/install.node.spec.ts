import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { installHints, staleReason } from './install.mjs';
import { isSupportedNode } from './node-version.mjs';

describe('the install step', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'happy-install-'));
    const file = (name: string, seconds: number) => {
        const made = path.join(folder, name);
        writeFileSync(made, '');
        utimesSync(made, seconds, seconds);
        return made;
    };
    afterAll(() => {
        rmSync(folder, { recursive: true, force: true });
    });

    it('knows when dependencies are missing, stale or in place', () => {
        const sources = [file('yarn.lock', 100), file('package.json', 200)];
        expect(staleReason(path.join(folder, 'nothing'), sources)).toBe('they are not installed yet');
        expect(staleReason(file('state', 150), sources)).toBe('package.json changed since the last install');
        expect(staleReason(file('state', 50), sources)).toBe('yarn.lock changed since the last install');
        expect(staleReason(file('state', 200), sources)).toBeNull();
    });

    it.each([
        [
            'YN0028: The lockfile would have been modified by this install, which is explicitly forbidden.',
            /commit yarn.lock/,
        ],
        ['npm error code EACCES\nnpm error path /home/other/.npm', /may not write/],
        ['YN0001: Error: ENOSPC: no space left on device, write', /disk is full/],
        [
            'npm error code ENOTFOUND\nnpm error network request to https://example.invalid failed',
            /registry could not be reached/,
        ],
        ['YN0001: RequestError: connect ECONNREFUSED 127.0.0.1:9', /registry could not be reached/],
        ["YN0018: hono@npm:4.13.19: The remote archive doesn't match the expected checksum", /yarn.lock knows/],
        ['something else', /lines above/],
    ])('says how to mend: %s', (output, hint) => {
        expect(installHints(output).join('\n')).toMatch(hint);
    });
});

describe('the Node.js version', () => {
    it.each([
        ['20.19.0', true],
        ['20.20.2', true],
        ['22.0.0', true],
        ['26.1.0', true],
        ['20.18.9', false],
        ['18.20.8', false],
        ['9.99.99', false],
    ])('%s supported: %s', (version, expected) => {
        expect(isSupportedNode(version)).toBe(expected);
    });
});
