import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { deriveKeys } from './derive-keys.mjs';
import { chooseSecrets, writeSecrets } from './rotated-secrets';
import { masterSecretPlan, otherSecrets } from './worker-secrets.mjs';

const BOTH = ['HAPPY_MASTER_SECRET', 'HAPPY_DERIVED_KEYS'];
const folder = mkdtempSync(path.join(tmpdir(), 'happy-secrets-'));
const file = path.join(folder, '.dev.vars.prod');
const write = (text: string) => writeFileSync(file, text);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the master secret of a Worker', () => {
    it.each([
        ['that has both is never replaced', BOTH, true, 'keep'],
        ['that has both by the older name neither', ['HANDY_MASTER_SECRET', 'HAPPY_DERIVED_KEYS'], true, 'keep'],
        ['that has none is the one known here', [], true, 'put'],
        ['that has none is made where none is known', [], false, 'make'],
        ['that has only keys is made: they fit nothing', ['HAPPY_DERIVED_KEYS'], false, 'make'],
        ['that lacks its keys is put with them', ['HAPPY_MASTER_SECRET'], true, 'put'],
    ] as const)('%s', (_what, there, isKnown, plan) => {
        expect(masterSecretPlan(there, isKnown, file, 'prod')).toBe(plan);
    });

    it('that lacks its keys, and is not known here, cannot be helped without it', () => {
        expect(() => masterSecretPlan(['HANDY_MASTER_SECRET'], false, file, 'prod')).toThrow(
            /has the secret HANDY_MASTER_SECRET/,
        );
    });

    it('comes with the other variables of the file, and no others', () => {
        const known = ['LOG_LEVEL', 'HAPPY_MASTER_SECRET'];
        const variables = { HAPPY_MASTER_SECRET: 'a', HAPPY_PREVIOUS_MASTER_SECRET: 'b', LOG_LEVEL: 'debug' };
        expect(otherSecrets(variables, [], known, file)).toEqual({ LOG_LEVEL: 'debug' });
        expect(() => otherSecrets({ LOGLEVEL: 'debug' }, [], known, file)).toThrow(/does not read: LOGLEVEL/);
        expect(() => otherSecrets(variables, ['LOG_LEVEL'], known, file)).toThrow(
            /wrangler.toml sets as well: LOG_LEVEL/,
        );
    });
});

describe('the file of a rotation', () => {
    it.each(['plain', `it's # "quoted" \\ $HOME`])('keeps the old secret %s until all is done', (old) => {
        write(`# mine\nHANDY_MASTER_SECRET=unused\nHAPPY_MASTER_SECRET=x\nHAPPY_DERIVED_KEYS=y\nLOG_LEVEL=debug\n`);
        writeSecrets(file, 'new', old);
        const keys = deriveKeys('new');
        expect(parseEnv(readFileSync(file, 'utf8'))).toEqual({
            HAPPY_MASTER_SECRET: 'new',
            HAPPY_DERIVED_KEYS: keys,
            HAPPY_PREVIOUS_MASTER_SECRET: old,
            LOG_LEVEL: 'debug',
        });
        expect(chooseSecrets(file, true)).toEqual({ oldSecret: old, newSecret: 'new', isResumed: true });
        writeSecrets(file, 'new', null);
        expect(readFileSync(file, 'utf8')).toBe(
            `# mine\nHAPPY_MASTER_SECRET=new\nHAPPY_DERIVED_KEYS=${keys}\nLOG_LEVEL=debug\n`,
        );
    });

    it('is left alone when it would not say what it should', () => {
        const text = 'HAPPY_MASTER_SECRET=a\nHAPPY_MASTER_SECRET=b\n';
        write(text);
        expect(() => writeSecrets(file, 'new', 'b')).toThrow(/could not be rewritten; nothing was changed/);
        expect(readFileSync(file, 'utf8')).toBe(text);
    });

    it('gives a new secret each time, and wants the old one', () => {
        write('HANDY_MASTER_SECRET=old\n');
        const { oldSecret, newSecret, isResumed } = chooseSecrets(file, true);
        expect({ oldSecret, isResumed }).toEqual({ oldSecret: 'old', isResumed: false });
        expect(newSecret).toMatch(/^[0-9a-f]{64}$/);
        expect(chooseSecrets(file, true).newSecret).not.toBe(newSecret);
        write('LOG_LEVEL=debug\n');
        expect(() => chooseSecrets(file, true)).toThrow(/There is no master secret in/);
    });
});
