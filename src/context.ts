import type { Auth, Actor } from '@/auth/auth';
import type { Db } from '@/db/client';
import type { Config } from '@/env';
import type { Hubs } from '@/realtime/publish';
import type { Logger } from '@/utils/logger';

/** What a procedure and its service may touch. Everything that varies in tests (time, ids, faults) comes in here. */
export interface Context {
    config: Config;
    db: Db;
    hubs: Hubs;
    auth: Auth;
    log: Logger;
    requestId: string;
    /** The bearer token of the request, unverified; null without one. */
    bearerToken: string | null;
    /** The caller's address, for rate limits. */
    clientAddress: string;
    /** False once the caller's address has used up its share of an endpoint that needs no account. */
    withinAuthLimit(): Promise<boolean>;
    /** Verifies the bearer token, at most once per request; null when there is none that is valid. */
    authenticate(): Promise<Actor | null>;
    /** Unix milliseconds. */
    now(): number;
    newId(): string;
    /** Work that may outlive the response. */
    waitUntil(work: Promise<unknown>): void;
}

/** The context of everything that needs an account: every statement filters by `actor.accountId`. */
export interface AccountContext extends Context {
    actor: Actor;
}
