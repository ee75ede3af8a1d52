/** Variables of the services outside; each service is off until its own secrets are there. */
export interface IntegrationsEnv {
    /** Where people land after linking GitHub; default the published app. */
    HAPPY_APP_URL?: string;
    /** OAuth app on GitHub; its callback is `<this server>/v1/connect/github/callback`. */
    GITHUB_CLIENT_ID?: string;
    GITHUB_CLIENT_SECRET?: string;
    /** The callback's full URL, as registered on GitHub. */
    GITHUB_REDIRECT_URL?: string;
    GITHUB_WEBHOOK_SECRET?: string;
    GITHUB_URL?: string;
    GITHUB_API_URL?: string;
    ELEVENLABS_API_KEY?: string;
    ELEVENLABS_API_URL?: string;
    /** The server's secret key: what a client sends of its own proves nothing. */
    REVENUECAT_API_KEY?: string;
    REVENUECAT_API_URL?: string;
    /** Entitlement that means a subscription; default `pro`. */
    REVENUECAT_ENTITLEMENT?: string;
    /** `true` or `false`: whether POST /v1/voice/token needs a subscription; default only in production. */
    VOICE_REQUIRE_SUBSCRIPTION?: string;
    /** Seconds per 30 days without a subscription; default 1200. */
    VOICE_FREE_SECONDS?: string;
    /** Seconds per 30 days with one; default 18000. */
    VOICE_HARD_LIMIT_SECONDS?: string;
    /** Conversations per 30 days; default 100. */
    VOICE_CONVERSATION_LIMIT?: string;
    /** Only for Expo projects with enhanced push security. */
    EXPO_ACCESS_TOKEN?: string;
    EXPO_API_URL?: string;
    /** How long one call may take, its body included; default 5000. */
    INTEGRATION_TIMEOUT_MS?: string;
}

/** What the clients of outside services need to know. Base URLs have no slash at the end. */
export interface IntegrationsConfig {
    appUrl: string;
    timeoutMs: number;
    github: {
        clientId: string | undefined;
        clientSecret: string | undefined;
        redirectUrl: string | undefined;
        webhookSecret: string | undefined;
        url: string;
        apiUrl: string;
    };
    elevenLabs: { apiKey: string | undefined; url: string };
    revenueCat: { apiKey: string | undefined; url: string; entitlement: string };
    voice: { requireSubscription: boolean; freeSeconds: number; hardSeconds: number; conversations: number };
    expo: { accessToken: string | undefined; url: string };
}

/** Reads the variables; what is there but unusable is added to `problems` by name. */
export function readIntegrations(env: IntegrationsEnv, isProduction: boolean, problems: string[]): IntegrationsConfig {
    const url = (name: keyof IntegrationsEnv, fallback: string) => {
        const value = env[name] || fallback;
        if (!isHttpUrl(value)) problems.push(`${name} (not a URL)`);
        return value.replace(/\/+$/, '');
    };
    const count = (name: keyof IntegrationsEnv, fallback: number) => {
        const value = env[name];
        if (!value) return fallback;
        if (!/^\d{1,9}$/.test(value)) problems.push(`${name} (not a whole number)`);
        return Number(value);
    };

    // They travel in headers: workerd prints values that do not fit into one.
    const key = (name: keyof IntegrationsEnv) => {
        const value = env[name] || undefined;
        if (value !== undefined && !/^[\x21-\x7e]+$/.test(value)) problems.push(`${name} (must be printable ASCII)`);
        return value;
    };

    return {
        appUrl: url('HAPPY_APP_URL', 'https://app.happy.engineering'),
        timeoutMs: count('INTEGRATION_TIMEOUT_MS', 5000),
        github: {
            clientId: env.GITHUB_CLIENT_ID || undefined,
            clientSecret: env.GITHUB_CLIENT_SECRET || undefined,
            redirectUrl: env.GITHUB_REDIRECT_URL || undefined,
            webhookSecret: env.GITHUB_WEBHOOK_SECRET || undefined,
            url: url('GITHUB_URL', 'https://github.com'),
            apiUrl: url('GITHUB_API_URL', 'https://api.github.com'),
        },
        elevenLabs: {
            apiKey: key('ELEVENLABS_API_KEY'),
            url: url('ELEVENLABS_API_URL', 'https://api.elevenlabs.io'),
        },
        revenueCat: {
            apiKey: key('REVENUECAT_API_KEY'),
            url: url('REVENUECAT_API_URL', 'https://api.revenuecat.com'),
            entitlement: env.REVENUECAT_ENTITLEMENT || 'pro',
        },
        voice: {
            requireSubscription: env.VOICE_REQUIRE_SUBSCRIPTION
                ? env.VOICE_REQUIRE_SUBSCRIPTION === 'true'
                : isProduction,
            freeSeconds: count('VOICE_FREE_SECONDS', 1200),
            hardSeconds: count('VOICE_HARD_LIMIT_SECONDS', 18_000),
            conversations: count('VOICE_CONVERSATION_LIMIT', 100),
        },
        expo: {
            accessToken: key('EXPO_ACCESS_TOKEN'),
            url: url('EXPO_API_URL', 'https://exp.host'),
        },
    };
}

function isHttpUrl(value: string): boolean {
    try {
        return /^https?:$/.test(new URL(value).protocol);
    } catch {
        return false;
    }
}
