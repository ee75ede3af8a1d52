import type { DerivedKeys } from '@/crypto/derived-keys';
import { parseDerivedKeys } from '@/crypto/derived-keys';
import type { IntegrationsConfig, IntegrationsEnv } from '@/integrations/config';
import { readIntegrations } from '@/integrations/config';
import type { SocketGateway } from '@/realtime/gateway';
import type { AccountHub } from '@/realtime/hub';
import { APP_VERSION } from '@/utils/app-version';

/** Bindings and variables of the Worker, as `wrangler.toml` and the secrets give them. */
export interface Env extends IntegrationsEnv {
    ENVIRONMENT?: string;
    /** `debug`, `info` (default) or `error`: the least severe line that is logged. */
    LOG_LEVEL?: string;
    HAPPY_MASTER_SECRET?: string;
    /** Older name of HAPPY_MASTER_SECRET, used when that one is absent. */
    HANDY_MASTER_SECRET?: string;
    HAPPY_DERIVED_KEYS?: string;
    /** Comma separated origins allowed by CORS; absent means any. */
    CORS_ORIGINS?: string;
    /** `true`: only challenges made by this server log in (contract 4.1). */
    REQUIRE_SERVER_CHALLENGE?: string;
    /** How many gateways share the sockets that authenticate by message; default 1. */
    GATEWAY_SHARDS?: string;
    /** Oldest app that need not update, and where to get a newer one (contract 4.6); the published app's when absent. */
    MIN_VERSION_IOS?: string;
    MIN_VERSION_ANDROID?: string;
    STORE_URL_IOS?: string;
    STORE_URL_ANDROID?: string;
    /** Anything but empty or `false`: clients may write into this server's log. Never in production. */
    DANGEROUSLY_LOG_TO_SERVER_FOR_AI_AUTO_DEBUGGING?: string;
    DB: D1Database;
    UPLOADS: R2Bucket;
    ASSETS: Fetcher;
    ACCOUNT_HUB: DurableObjectNamespace<AccountHub>;
    SOCKET_GATEWAY: DurableObjectNamespace<SocketGateway>;
    AUTH_LIMITER: RateLimit;
    ATTACHMENT_LIMITER: RateLimit;
    UPGRADE_LIMITER: RateLimit;
}

/** What the code reads instead of `Env` variables: parsed, checked, with defaults. */
export interface Config {
    environment: string;
    /** Local development: no HSTS. */
    isLocal: boolean;
    masterSecret: string;
    keys: DerivedKeys;
    requireServerChallenge: boolean;
    /** By platform, in lower case. */
    apps: ReadonlyMap<string, AppConfig>;
    /** Clients may write into this server's log. */
    devLog: boolean;
    integrations: IntegrationsConfig;
}

/** An app that clients run: which versions will do, and where to get a newer one. */
export interface AppConfig {
    minimumVersion: string;
    storeUrl: string;
}

/** A secret or binding is missing or unusable; `missing` names all of them (contract 2). */
export class ConfigurationError extends Error {
    constructor(
        readonly missing: string[],
        readonly hint: string,
    ) {
        super(`Missing or unusable: ${missing.join(', ')}. ${hint}`);
        this.name = 'ConfigurationError';
    }
}

const BINDINGS = [
    'DB',
    'UPLOADS',
    'ASSETS',
    'ACCOUNT_HUB',
    'SOCKET_GATEWAY',
    'AUTH_LIMITER',
    'ATTACHMENT_LIMITER',
    'UPGRADE_LIMITER',
] as const;
const MEND =
    'Locally `npm run dev` makes the secrets; on Cloudflare `npm run deploy` sets them and wrangler.toml names the bindings.';

const loaded = new WeakMap<Env, Promise<Config>>();

/**
 * Reads and checks the configuration once per isolate.
 * @throws ConfigurationError naming everything that is missing at once.
 */
export function loadConfig(env: Env): Promise<Config> {
    let config = loaded.get(env);
    if (!config) {
        config = readConfig(env);
        loaded.set(env, config);
    }
    return config;
}

async function readConfig(env: Env): Promise<Config> {
    const missing: string[] = BINDINGS.filter((name) => !env[name]);
    const masterSecret = env.HAPPY_MASTER_SECRET || env.HANDY_MASTER_SECRET;
    if (!masterSecret) missing.push('HAPPY_MASTER_SECRET');
    if (!env.HAPPY_DERIVED_KEYS) missing.push('HAPPY_DERIVED_KEYS');

    let keys: DerivedKeys | undefined;
    if (masterSecret && env.HAPPY_DERIVED_KEYS) {
        keys = await parseDerivedKeys(env.HAPPY_DERIVED_KEYS, masterSecret).catch((error: Error) => {
            missing.push(`HAPPY_DERIVED_KEYS (${error.message})`);
            return undefined;
        });
    }
    const environment = env.ENVIRONMENT || 'production';
    const integrations = readIntegrations(env, environment === 'production', missing);
    const apps = readApps(env, missing);
    if (missing.length > 0 || !masterSecret || !keys) throw new ConfigurationError(missing, MEND);

    return {
        environment,
        isLocal: environment === 'development',
        masterSecret,
        keys,
        requireServerChallenge: env.REQUIRE_SERVER_CHALLENGE === 'true',
        apps,
        devLog: environment !== 'production' && isSet(env.DANGEROUSLY_LOG_TO_SERVER_FOR_AI_AUTO_DEBUGGING),
        integrations,
    };
}

function readApps(env: Env, missing: string[]): Config['apps'] {
    const ios = {
        minimumVersion: env.MIN_VERSION_IOS || '1.4.1',
        storeUrl: env.STORE_URL_IOS || 'https://apps.apple.com/us/app/happy-claude-code-client/id6748571505',
    };
    const android = {
        minimumVersion: env.MIN_VERSION_ANDROID || '1.4.1',
        storeUrl: env.STORE_URL_ANDROID || 'https://play.google.com/store/apps/details?id=com.ex3ndr.happy',
    };
    if (!APP_VERSION.test(ios.minimumVersion)) missing.push('MIN_VERSION_IOS (not a version)');
    if (!APP_VERSION.test(android.minimumVersion)) missing.push('MIN_VERSION_ANDROID (not a version)');
    return new Map([
        ['ios', ios],
        ['android', android],
    ]);
}

function isSet(flag: string | undefined): boolean {
    return Boolean(flag) && flag !== 'false';
}
