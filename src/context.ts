import type { Actor, Auth } from '@/auth/auth';
import { initAuth } from '@/auth/auth';
import type { Vault } from '@/crypto/vault';
import { initVault } from '@/crypto/vault';
import type { Db } from '@/db/client';
import { getDb } from '@/db/client';
import type { Config, Env } from '@/env';
import type { Hubs } from '@/realtime/publish';
import { createHubs } from '@/realtime/publish';
import type { FileStorage } from '@/storage/r2';
import { createR2Storage } from '@/storage/r2';
import { createId } from '@/utils/id';
import type { Logger } from '@/utils/logger';

/** What a service may touch, whatever the door. Everything that varies (time, ids, outside services) comes in here. */
export interface ServiceContext {
    config: Config;
    db: Db;
    hubs: Hubs;
    files: FileStorage;
    auth: Auth;
    vault: Vault;
    log: Logger;
    /** Where the caller reached this server (`https://host`), for the URLs it is given; empty where that is not known. */
    origin: string;
    /** False once `key` has used up its minute of calls that need no account: logins and pairing. */
    withinAuthLimitOf(key: string): Promise<boolean>;
    /** False once an account has used up its minute of attachments; each kind of call counts for itself. */
    withinAttachmentLimit(kind: 'request' | 'upload', accountId: string): Promise<boolean>;
    /** Unix milliseconds. */
    now(): number;
    newId(): string;
    /** A random UUID, where the format of a thing asks for one. */
    newUuid(): string;
    /** Work that may outlive the answer. */
    waitUntil(work: Promise<unknown>): void;
}

/** The context of a procedure: a service's, and what its caller's address and bearer token allow. */
export interface Context extends ServiceContext {
    requestId: string;
    /** False once the caller's address has used up its calls that need no account: logins and pairing, or the named share. */
    withinAuthLimit(share?: string): Promise<boolean>;
    /** Verifies the bearer token, at most once per request; null when there is none that is valid. */
    authenticate(): Promise<Actor | null>;
    /** At a door that streams: the event id a stream begins at, so that it can be continued before its first event. */
    startStreamAt?(eventId: string): void;
}

/** The context of everything that needs an account: every statement filters by `actor.accountId`. */
export interface AccountContext extends ServiceContext, Pick<Partial<Context>, 'startStreamAt'> {
    actor: Actor;
}

/** What differs from one request or object to the next. */
type ContextParts = Pick<ServiceContext, 'config' | 'log' | 'waitUntil'> & Partial<Pick<ServiceContext, 'origin'>>;

/** Builds what services need from the bindings of a Worker or a Durable Object. */
export function createServiceContext(env: Env, { config, log, waitUntil, origin = '' }: ContextParts): ServiceContext {
    return {
        config,
        db: getDb(env.DB),
        hubs: createHubs(env.ACCOUNT_HUB),
        files: createR2Storage(env.UPLOADS),
        auth: initAuth(config),
        vault: initVault(config.keys.keyTree),
        log,
        origin,
        withinAuthLimitOf: async (key) => (await env.AUTH_LIMITER.limit({ key })).success,
        withinAttachmentLimit: async (kind, accountId) =>
            (await env.ATTACHMENT_LIMITER.limit({ key: `${kind} ${accountId}` })).success,
        now: () => Date.now(),
        newId: () => createId(Date.now()),
        newUuid: () => crypto.randomUUID(),
        waitUntil,
    };
}
