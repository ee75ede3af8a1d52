import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { deriveKeys } from './scripts/lib/derive-keys.mjs';
import { writeTestConfig } from './scripts/lib/test-config.mjs';

const alias = {
    '@': fileURLToPath(new URL('./src', import.meta.url)),
    '@test': fileURLToPath(new URL('./test', import.meta.url)),
};
const MASTER_SECRET = 'a master secret for tests only';
/**
 * Tests that kill or put to sleep every object of their workerd, look into a gateway that others would fill, or search
 * all that a database holds.
 */
const ALONE = ['test/{model,realtime,stock}/**/*.spec.ts', 'src/routers/connect/at-rest.spec.ts'];

/** Most waits end within milliseconds; on a busy machine one may take seconds. */
const expect = { poll: { timeout: 20_000 } };

/** Specs that run in workerd with real bindings. */
function workers(
    name: string,
    isolate: boolean,
    include: string[],
    exclude: string[] = [],
): TestProjectInlineConfiguration {
    return {
        resolve: { alias },
        plugins: [
            cloudflareTest(async () => ({
                wrangler: { configPath: writeTestConfig() },
                miniflare: {
                    bindings: {
                        LOG_LEVEL: 'error',
                        HAPPY_MASTER_SECRET: MASTER_SECRET,
                        HAPPY_DERIVED_KEYS: deriveKeys(MASTER_SECRET),
                        TEST_MIGRATIONS: await readD1Migrations('drizzle/migrations'),
                        // `NIGHTLY=1 npm test`: property tests run long and with new seeds.
                        TEST_NIGHTLY: process.env.NIGHTLY ?? '',
                    },
                },
            })),
        ],
        test: {
            name,
            isolate,
            include,
            exclude: ['**/*.node.spec.ts', ...exclude],
            globalSetup: ['test/services/server.ts'],
            setupFiles: ['test/helpers/setup.ts'],
            expect,
            testTimeout: 120_000,
            hookTimeout: 60_000,
        },
    };
}

/**
 * `*.spec.ts` run in workerd: most share one workerd and its database with the files before them, since starting one
 * takes longer than most files do. `*.node.spec.ts` run in plain Node (pure modules, commands, real clients).
 */
export default defineConfig({
    test: {
        maxWorkers: availableParallelism(),
        projects: [
            workers('workers', false, ['src/**/*.spec.ts', 'test/**/*.spec.ts'], ALONE),
            workers('workers-alone', true, ALONE),
            {
                resolve: { alias },
                test: {
                    name: 'node',
                    include: ['{src,scripts,test,lint}/**/*.node.spec.ts'],
                    expect,
                    testTimeout: 300_000,
                    hookTimeout: 300_000,
                },
            },
        ],
    },
});
