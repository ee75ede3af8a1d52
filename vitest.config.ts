import { fileURLToPath } from 'node:url';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';
import { deriveKeys } from './scripts/lib/derive-keys.mjs';
import { writeTestConfig } from './scripts/lib/test-config.mjs';

const alias = {
    '@': fileURLToPath(new URL('./src', import.meta.url)),
    '@test': fileURLToPath(new URL('./test', import.meta.url)),
};
const MASTER_SECRET = 'a master secret for tests only';

/** `*.spec.ts` run in workerd with real bindings, `*.node.spec.ts` in plain Node (pure modules, commands, real clients). */
export default defineConfig({
    test: {
        projects: [
            {
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
                    name: 'workers',
                    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
                    exclude: ['**/*.node.spec.ts'],
                    globalSetup: ['test/services/server.ts'],
                    setupFiles: ['test/helpers/setup.ts'],
                    testTimeout: 30_000,
                },
            },
            {
                resolve: { alias },
                test: {
                    name: 'node',
                    include: ['{src,scripts,test,lint}/**/*.node.spec.ts'],
                    testTimeout: 120_000,
                },
            },
        ],
    },
});
