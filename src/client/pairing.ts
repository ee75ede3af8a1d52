import type { TRPCClient } from '@trpc/client';
import type { AppRouter } from '@/client/app-router';
import { decodeBase64, encodeBase64, encodeBase64Url } from '@/client/base64';
import { contentKeyPair, open, openPairingResponseV2, pairingResponseV2, seal, terminalKeyPair } from '@/client/crypto';
import type { KeyPair } from '@/client/crypto';
import { toHappyError } from '@/client/errors';
import { pause } from '@/client/pause';

type Api = TRPCClient<AppRouter>;

const TERMINAL_LINK = 'happy://terminal?';
const DEVICE_LINK = 'happy:///account?';
const KEY_BYTES = 32;
/** Who waits asks once a second (the request expires after 15 minutes). */
const POLL_MS = 1000;

/** A terminal or device that wants to be let into an account. */
export interface Pairing<Paired> {
    /** What to show as a QR code: the Happy app opens it. */
    link: string;
    publicKey: Uint8Array;
    /** Waits until somebody lets it in. Throws when `signal` says to stop. */
    wait(options?: { signal?: AbortSignal; pollMs?: number }): Promise<Paired>;
}

/** What a terminal gets: a token, and the public key to wrap its sessions' keys to. The account's secret stays away. */
export interface PairedTerminal {
    token: string;
    contentPublicKey: Uint8Array;
}

/** What a further device of the account's owner gets: everything. */
export interface PairedDevice {
    token: string;
    accountSecret: Uint8Array;
}

type Answer = { state: 'requested' } | { state: 'authorized'; token: string; response: string };
type Ask = (publicKey: string, signal?: AbortSignal) => Promise<Answer>;

/** Asks for a terminal to be let in. */
export function requestPairing(api: Api): Promise<Pairing<PairedTerminal>> {
    const ask: Ask = (publicKey, signal) =>
        api.auth.requestTerminal.mutate({ publicKey, supportsV2: true }, signal && { signal });
    return request(TERMINAL_LINK, ask, ({ token, response }, { secretKey }) => {
        const contentPublicKey = openPairingResponseV2(response, secretKey);
        return contentPublicKey && { token, contentPublicKey };
    });
}

/** Asks for a device to join an account. */
export function requestDevicePairing(api: Api): Promise<Pairing<PairedDevice>> {
    const ask: Ask = (publicKey, signal) => api.auth.requestAccount.mutate({ publicKey }, signal && { signal });
    return request(DEVICE_LINK, ask, ({ token, response }, { secretKey }) => {
        const accountSecret = open(decodeBase64(response) ?? new Uint8Array(), secretKey);
        return accountSecret?.length === KEY_BYTES ? { token, accountSecret } : null;
    });
}

async function request<Paired>(
    prefix: string,
    ask: Ask,
    read: (answer: Extract<Answer, { state: 'authorized' }>, keys: KeyPair) => Paired | null,
): Promise<Pairing<Paired>> {
    const keys = terminalKeyPair();
    const publicKey = encodeBase64(keys.publicKey);
    await ask(publicKey);
    return {
        link: prefix + encodeBase64Url(keys.publicKey),
        publicKey: keys.publicKey,
        async wait({ signal, pollMs = POLL_MS } = {}) {
            for (;;) {
                signal?.throwIfAborted();
                const answer = await ask(publicKey, signal).catch(passing);
                if (answer?.state === 'authorized') {
                    const paired = read(answer, keys);
                    if (!paired) throw new Error('The answer to the pairing request is for somebody else');
                    return paired;
                }
                if (!signal?.aborted) await pause(pollMs, signal);
            }
        },
    };
}

/** Lets a terminal in: whoever holds the account's secret answers the link that the terminal shows. */
export async function approvePairing(api: Api, link: string, accountSecret: Uint8Array): Promise<void> {
    if (link.startsWith(DEVICE_LINK)) throw new Error('The link of a device, which would get the account itself');
    const terminal = readPairingLink(link);
    const response = pairingResponseV2(contentKeyPair(accountSecret).publicKey, terminal);
    await api.auth.respondTerminal.mutate({ publicKey: encodeBase64(terminal), response });
}

/** Gives the account itself, its secret, to the device that shows the link. */
export async function approveDevice(api: Api, link: string, accountSecret: Uint8Array): Promise<void> {
    if (!link.startsWith(DEVICE_LINK)) throw new Error('Not the link of a device');
    const device = readPairingLink(link);
    const response = encodeBase64(seal(accountSecret, device));
    await api.auth.respondAccount.mutate({ publicKey: encodeBase64(device), response });
}

/** The public key in a pairing link, the app's or the web app's, or in nothing but its base64. */
export function readPairingLink(link: string): Uint8Array {
    const key = decodeBase64(/(?:[?]|#key=)([^&?#]+)$/.exec(link)?.[1] ?? link);
    if (key?.length !== KEY_BYTES) throw new Error('Not a pairing link');
    return key;
}

/** A server that is out of reach for a moment must not end a pairing. */
function passing(error: unknown): undefined {
    const { code } = toHappyError(error);
    if (code !== 'NETWORK' && code !== 'SERVICE_UNAVAILABLE' && code !== 'RATE_LIMITED') throw error;
}
