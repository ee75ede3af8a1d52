// The other half of pbkdf2-limit.spec.ts: that one watches what runs, this one reads what is written.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '..');

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'),
);

it('no code of the Worker names PBKDF2 or imports the set-up script that runs it', () => {
    expect(files.length).toBeGreaterThan(5);
    const offenders = files.filter((file) => {
        const code = readFileSync(join(SOURCE, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        return /pbkdf2|scrypt|import[^;]*derive-keys\.mjs'/i.test(code);
    });
    expect(offenders).toEqual([]);
});
