import { describe, expect, it } from 'vitest';
import { readIntegrations } from '@/integrations/config';
import type { IntegrationsEnv } from '@/integrations/config';
import { call } from '@test/helpers/account';
import { keepErrorLog } from '@test/helpers/log';
import { startServer } from '@test/helpers/server';

function read(env: IntegrationsEnv, isProduction = false) {
    const problems: string[] = [];
    return { config: readIntegrations(env, isProduction, problems), problems };
}

describe('configuration of outside services', () => {
    it('goes to the real hosts, with every service off, when nothing is said', () => {
        expect(read({})).toEqual({
            config: {
                appUrl: 'https://app.happy.engineering',
                timeoutMs: 5000,
                github: { url: 'https://github.com', apiUrl: 'https://api.github.com' },
                elevenLabs: { url: 'https://api.elevenlabs.io' },
                revenueCat: { url: 'https://api.revenuecat.com', entitlement: 'pro' },
                voice: { requireSubscription: false, freeSeconds: 1200, hardSeconds: 18_000, conversations: 100 },
                expo: { url: 'https://exp.host' },
            },
            problems: [],
        });
    });

    it('takes an empty variable for none', () => {
        const empty = { ELEVENLABS_API_KEY: '', GITHUB_CLIENT_ID: '', GITHUB_URL: '', VOICE_FREE_SECONDS: '' };
        expect(read(empty)).toEqual(read({}));
    });

    it('wants subscribers in production only, unless told otherwise', () => {
        const wants = (value: string | undefined, isProduction: boolean) =>
            read({ ...(value !== undefined && { VOICE_REQUIRE_SUBSCRIPTION: value }) }, isProduction).config.voice
                .requireSubscription;
        expect([wants(undefined, true), wants(undefined, false)]).toEqual([true, false]);
        expect([wants('false', true), wants('true', false)]).toEqual([false, true]);
    });

    it.each<[IntegrationsEnv, string]>([
        [{ HAPPY_APP_URL: 'app.test' }, 'HAPPY_APP_URL (not a URL)'],
        [{ GITHUB_API_URL: 'javascript:alert(1)' }, 'GITHUB_API_URL (not a URL)'],
        [{ EXPO_API_URL: 'http://' }, 'EXPO_API_URL (not a URL)'],
        [{ VOICE_FREE_SECONDS: '-1' }, 'VOICE_FREE_SECONDS (not a whole number)'],
        [{ VOICE_CONVERSATION_LIMIT: 'many' }, 'VOICE_CONVERSATION_LIMIT (not a whole number)'],
        [{ ELEVENLABS_API_KEY: 'sk-ключ' }, 'ELEVENLABS_API_KEY (must be printable ASCII)'],
        [{ EXPO_ACCESS_TOKEN: 'token\n' }, 'EXPO_ACCESS_TOKEN (must be printable ASCII)'],
        [{ INTEGRATION_TIMEOUT_MS: '1.5' }, 'INTEGRATION_TIMEOUT_MS (not a whole number)'],
    ])('%j is a problem', (env, problem) => {
        expect(read(env).problems).toEqual([problem]);
    });
});

describe('a server with unusable settings', () => {
    keepErrorLog();

    it('names all of them at once', async () => {
        const server = startServer({
            HAPPY_APP_URL: 'nowhere',
            VOICE_FREE_SECONDS: 'x',
            HAPPY_MASTER_SECRET: undefined,
        });
        const { status, body } = await call(server, 'GET', '/v1/account');
        expect(status).toBe(500);
        expect(body).toMatchObject({ code: 'CONFIGURATION' });
        expect(body.missing.join()).toMatch(/HAPPY_MASTER_SECRET.*HAPPY_APP_URL \(not a URL\).*VOICE_FREE_SECONDS/);
    });
});
