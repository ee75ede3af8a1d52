import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deriveKeys } from './derive-keys.mjs';
import { completeDevVars, ensureDevVars } from './dev-vars.mjs';

describe('.dev.vars', () => {
    it('is made with a random secret and the keys derived from it', () => {
        const first = completeDevVars(null, deriveKeys);
        const variables = parseEnv(first.text);
        expect(variables.HAPPY_MASTER_SECRET).toMatch(/^[0-9a-f]{64}$/);
        expect(variables.HAPPY_DERIVED_KEYS).toBe(deriveKeys(variables.HAPPY_MASTER_SECRET!));
        expect(first).toMatchObject({ madeSecret: true, madeKeys: true });
        expect(completeDevVars(null, deriveKeys).text).not.toBe(first.text);
    });

    it('stays as it is once it is complete', () => {
        const { text } = completeDevVars(null, deriveKeys);
        const derive = vi.fn(deriveKeys);
        expect(completeDevVars(text, derive)).toEqual({ text, madeSecret: false, madeKeys: false });
        expect(derive).not.toHaveBeenCalled();
    });

    it('gets new keys when its master secret has changed, and keeps every other line', () => {
        const before =
            '# mine\nLOG_LEVEL=debug\nHAPPY_MASTER_SECRET="one # two"\n\nHAPPY_DERIVED_KEYS=v1.0000000000000000.AA==\nX=1\n';
        const { text, madeSecret, madeKeys } = completeDevVars(before, deriveKeys);
        expect(text).toBe(before.replace('v1.0000000000000000.AA==', deriveKeys('one # two')));
        expect({ madeSecret, madeKeys }).toEqual({ madeSecret: false, madeKeys: true });
    });

    it('fills in the empty lines of a copied example', () => {
        const example = readFileSync(new URL('../../.dev.vars.example', import.meta.url), 'utf8');
        const variables = parseEnv(completeDevVars(example, deriveKeys).text);
        expect(variables.HAPPY_MASTER_SECRET).toMatch(/^[0-9a-f]{64}$/);
        expect(variables.HAPPY_DERIVED_KEYS).toBe(deriveKeys(variables.HAPPY_MASTER_SECRET!));
    });

    it('takes the older name of the secret for what it is', () => {
        const { text, madeSecret } = completeDevVars('HANDY_MASTER_SECRET=old', deriveKeys);
        expect(text).toBe(`HANDY_MASTER_SECRET=old\nHAPPY_DERIVED_KEYS=${deriveKeys('old')}\n`);
        expect(madeSecret).toBe(false);
    });

    describe('as a file', () => {
        const folder = mkdtempSync(path.join(tmpdir(), 'happy-dev-vars-'));
        const file = path.join(folder, '.dev.vars');
        afterEach(() => {
            rmSync(folder, { recursive: true, force: true });
        });

        it('is readable by its owner only', () => {
            writeFileSync(file, 'LOG_LEVEL=debug\n', { mode: 0o644 });
            expect(ensureDevVars(file, deriveKeys)).toEqual({ madeSecret: true, madeKeys: true });
            expect(statSync(file).mode & 0o777).toBe(0o600);
            expect(readFileSync(file, 'utf8')).toMatch(/^LOG_LEVEL=debug\nHAPPY_MASTER_SECRET=/);
            expect(ensureDevVars(file, deriveKeys)).toEqual({ madeSecret: false, madeKeys: false });
        });
    });
});
