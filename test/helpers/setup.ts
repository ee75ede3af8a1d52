import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, vi } from 'vitest';
import { statements } from '@test/helpers/database';
import { findUnindexed } from '@test/helpers/query-plans';

beforeAll(async () => {
    await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});

// Every statement that any test of the file sent must find its rows by an index (contract 9).
afterAll(async () => {
    // The next file may share this isolate.
    vi.useRealTimers();
    const unindexed = await findUnindexed(env.DB);
    statements.clear();
    if (unindexed.length > 0) throw new Error(`Statements that scan a table:\n${unindexed.join('\n\n')}`);
});
