import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { inProject } from './project.mjs';

describe('wrangler.toml', () => {
    // They hold whole addresses: keys of the key-value store, push tokens, tickets.
    it.each([undefined, 'dev', 'prod'])(
        'keeps the logs of the Worker, not those of requests (environment %s)',
        (env) => {
            const { observability } = unstable_readConfig(
                { config: inProject('wrangler.toml'), env },
                { hideWarnings: true },
            );
            expect(observability).toMatchObject({ enabled: true, logs: { enabled: true, invocation_logs: false } });
        },
    );
});
