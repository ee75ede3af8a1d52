/**
 * `happy-server-workers/client`: the server's procedures with their types, live updates that reconnect by themselves,
 * login, pairing, and the clients' encryption. Works in Node 20 and later, and in browsers.
 *
 * @example
 * const happy = await createHappyClient({ url: 'https://happy.example' }).login(accountSecret);
 * const { sessions } = await happy.api.sessions.list.query();
 * const following = happy.follow({ onUpdate: ({ body }) => console.log(body.t) });
 */
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from '@trpc/client';
import type { TRPCClient } from '@trpc/client';
import type { AppRouter } from '@/client/app-router';
import { decodeBase64, encodeBase64 } from '@/client/base64';
import { authRequest, signingKey } from '@/client/crypto';
import { happyErrors } from '@/client/errors';
import { FetchEventSource } from '@/client/event-source';
import { follow } from '@/client/follow';
import type { FollowOptions, Following } from '@/client/follow';
import { approveDevice, approvePairing, requestDevicePairing, requestPairing } from '@/client/pairing';
import type { PairedDevice, PairedTerminal, Pairing } from '@/client/pairing';

export type { AppRouter } from '@/client/app-router';
export { decodeBase64, encodeBase64 } from '@/client/base64';
export * from '@/client/crypto';
export { HappyError, toHappyError } from '@/client/errors';
export type { HappyErrorCode } from '@/client/errors';
export { FetchEventSource } from '@/client/event-source';
export type { FetchEventSourceInit } from '@/client/event-source';
export type { FollowOptions, Following, HappyEphemeral, HappyEvent, HappyUpdate } from '@/client/follow';
export { readPairingLink } from '@/client/pairing';
export type { PairedDevice, PairedTerminal, Pairing } from '@/client/pairing';

/** Which server, and as whom. */
export interface HappyClientOptions {
    /** Where the server is: `https://happy.example`. */
    url: string;
    /** Login token; without one only logging in and pairing work. */
    token?: string;
    /** Instead of the global `fetch`. */
    fetch?: typeof fetch;
}

/** A client of one server, as whoever holds its token. Whatever fails, fails with a `HappyError`. */
export interface HappyClient {
    readonly url: string;
    readonly token: string | undefined;
    /** Every procedure, typed: `api.sessions.create.mutate({ … })`. Calls made at once travel together. */
    readonly api: TRPCClient<AppRouter>;
    /** Follows the account, or one session or machine, and reconnects without a gap or a repeat. */
    follow(options: FollowOptions): Following;
    /** Logs in with an account's secret, 32 bytes, and makes the account the first time. Returns a client with the token. */
    login(accountSecret: Uint8Array): Promise<HappyClient>;
    /** A terminal's side of pairing: show `link`, then wait. */
    requestPairing(): Promise<Pairing<PairedTerminal>>;
    /** The account's side of pairing: lets in the terminal that shows `link`. */
    approvePairing(link: string, accountSecret: Uint8Array): Promise<void>;
    /** A further device's side of joining an account: show `link`, then wait; it gets the account's secret. */
    requestDevicePairing(): Promise<Pairing<PairedDevice>>;
    /** The account's side of that: gives its secret to the device that shows `link`. */
    approveDevice(link: string, accountSecret: Uint8Array): Promise<void>;
    /** The same server as somebody else. */
    withToken(token: string): HappyClient;
}

/** Calls that one request may hold, and the longest address that every proxy takes. */
const BATCH = { maxItems: 20, maxURLLength: 4000 };

/** Creates a client. */
export function createHappyClient(options: HappyClientOptions): HappyClient {
    const { token } = options;
    const url = options.url.replace(/\/+$/, '');
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const request: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
    const endpoint = { url: `${url}/trpc` };

    const api = createTRPCClient<AppRouter>({
        links: [
            happyErrors,
            splitLink({
                condition: ({ type }) => type === 'subscription',
                true: httpSubscriptionLink({
                    ...endpoint,
                    EventSource: FetchEventSource,
                    eventSourceOptions: { headers, fetch: request },
                }),
                false: httpBatchLink({ ...endpoint, ...BATCH, headers, fetch: request }),
            }),
        ],
    });

    const withToken = (next: string) => createHappyClient({ ...options, token: next });
    return {
        url,
        token,
        api,
        withToken,
        follow: (what) => follow(api, what),
        async login(accountSecret) {
            // A server may insist on challenges of its own, so it is asked for one.
            const publicKey = encodeBase64(signingKey(accountSecret).publicKey);
            const { challenge } = await api.auth.challenge.mutate({ publicKey });
            const signed = authRequest(accountSecret, decodeBase64(challenge) ?? undefined);
            return withToken((await api.auth.login.mutate(signed)).token);
        },
        requestPairing: () => requestPairing(api),
        approvePairing: (link, accountSecret) => approvePairing(api, link, accountSecret),
        requestDevicePairing: () => requestDevicePairing(api),
        approveDevice: (link, accountSecret) => approveDevice(api, link, accountSecret),
    };
}
