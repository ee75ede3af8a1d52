import { inject } from 'vitest';

declare module 'vitest' {
    interface ProvidedContext {
        servicesUrl: string;
    }
}

/** What a service answers to one request. */
export interface PlannedAnswer {
    /** `GET /user` */
    on: string;
    status?: number;
    headers?: Record<string, string>;
    /** Sent as JSON; a text is sent as it is. */
    body?: unknown;
    /** Every time, not once. */
    always?: boolean;
    /** Waits so long before it answers. */
    delayMs?: number;
    /**
     * `silent` accepts and says nothing, `hang-up` closes at once, `cut` closes in the middle of the body, `stall` stops
     * there, `huge` never stops.
     */
    fault?: 'silent' | 'hang-up' | 'cut' | 'stall' | 'huge';
}

/** A request as the service received it. */
export interface ReceivedRequest {
    method: string;
    path: string;
    query: Record<string, string>;
    /** Names in lower case. */
    headers: Record<string, string>;
    body: string;
}

/** Outside services of one test, on a real HTTP server of their own name. */
export interface OutsideServices {
    /** Their base URL. */
    url: string;
    /** Plans an answer; plans for the same request are used up in order, and without one a request gets 501. */
    plan(on: string, answer?: Omit<PlannedAnswer, 'on'>): Promise<void>;
    /** What arrived, oldest first; only on `path` if given. */
    requests(path?: string): Promise<ReceivedRequest[]>;
    /** Variables that make a server use these services, with credentials for all of them. */
    env: Record<string, string>;
}

/** Secrets of the services in tests: none may show in an answer, a log line or an error. */
export const SECRETS = {
    GITHUB_CLIENT_SECRET: 'github-client-secret-2b1f',
    GITHUB_WEBHOOK_SECRET: 'github-webhook-secret-77aa',
    ELEVENLABS_API_KEY: 'xi-secret-key-4410',
    REVENUECAT_API_KEY: 'sk_revenuecat_secret_9d3e',
    EXPO_ACCESS_TOKEN: 'expo-access-token-51c0',
} as const;

/** Services for one test, shared with no other. */
export function openServices(): OutsideServices {
    const url = `${inject('servicesUrl')}/${crypto.randomUUID()}`;
    return {
        url,
        async plan(on, answer) {
            await fetch(`${url}/__plan`, { method: 'POST', body: JSON.stringify({ on, ...answer }) });
        },
        async requests(path) {
            const all: ReceivedRequest[] = await (await fetch(`${url}/__requests`)).json();
            return path === undefined ? all : all.filter((request) => request.path === path);
        },
        env: {
            ...SECRETS,
            GITHUB_CLIENT_ID: 'github-client-id',
            GITHUB_REDIRECT_URL: 'https://happy.test/v1/connect/github/callback',
            GITHUB_URL: url,
            GITHUB_API_URL: url,
            ELEVENLABS_API_URL: url,
            REVENUECAT_API_URL: url,
            EXPO_API_URL: `${url}/`,
            HAPPY_APP_URL: 'https://app.test/',
            INTEGRATION_TIMEOUT_MS: '2000',
        },
    };
}
