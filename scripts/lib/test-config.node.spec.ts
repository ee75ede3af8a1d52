import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler';
import { inProject } from './project.mjs';
import { writeTestConfig } from './test-config.mjs';

const root = mkdtempSync(path.join(tmpdir(), 'happy-config-'));
const bindingsOf = (config: string) => unstable_getMiniflareWorkerOptions(config).workerOptions.bindings;

afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

describe('the configuration of tests', () => {
    it.each(['.dev.vars', '.env'])('takes nothing from the %s of whoever runs them', (file) => {
        vi.spyOn(console, 'log').mockImplementation(() => undefined);
        mkdirSync(path.join(root, 'dist', 'assets'), { recursive: true });
        cpSync(inProject('wrangler.toml'), path.join(root, 'wrangler.toml'));
        writeFileSync(path.join(root, file), 'CORS_ORIGINS=https://elsewhere.example\nENVIRONMENT=mine\n');
        expect(bindingsOf(path.join(root, 'wrangler.toml'))).toMatchObject({ ENVIRONMENT: 'mine' });
        expect(bindingsOf(writeTestConfig(root, path.join(root, 'copy')))).toEqual({ ENVIRONMENT: 'development' });
        rmSync(path.join(root, file));
    });

    it('is wrangler.toml in all else', () => {
        const copy = unstable_readConfig({ config: writeTestConfig() });
        const original = unstable_readConfig({ config: inProject('wrangler.toml') });
        const absolute = (file: string | undefined) => path.join(inProject(), file ?? '');
        // The build of assets is run by the commands themselves; where the configuration lies is the difference.
        const aside = { build: null, configPath: null, userConfigPath: null };
        expect({ ...copy, ...aside }).toEqual({
            ...original,
            ...aside,
            assets: { ...original.assets, directory: absolute(original.assets?.directory) },
            d1_databases: original.d1_databases.map(({ migrations_dir, ...database }: { migrations_dir?: string }) => ({
                ...database,
                migrations_dir: absolute(migrations_dir),
            })),
        });
    });
});
