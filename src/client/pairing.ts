import type { TRPCClient } from '@trpc/client';
import type { AppRouter } from '@/client/app-router';
import { decodeBase64, encodeBase64, encodeBase64Url } from '@/client/base64';
import { contentKeyPair, openPairingResponseV2, pairingResponseV2, terminalKeyPair } from '@/client/crypto';
import { toHappyError } from '@/client/errors';

type Api = TRPCClient<AppRouter>;

const LINK = 'happy://terminal?';
const KEY_BYTES = 32;
/** Terminals ask once a second (the request expires after 15 minutes). */
const POLL_MS = 1000;

/** A terminal that wants to be let into an account. */
export interface Pairing {
    /** What to show as a QR code: the Happy app opens it. */
    link: string;
    publicKey: Uint8Array;
    /** Waits until somebody lets the terminal in. Throws when `signal` says to stop. */
    wait(options?: { signal?: AbortSignal; pollMs?: number }): Promise<PairedTerminal>;
}

/** What a terminal gets: a token, and the public key to wrap its sessions' keys to. The account's secret stays away. */
export interface PairedTerminal {
    token: string;
    contentPublicKey: Uint8Array;
}

/** Asks for a terminal to be let in. */
export async function requestPairing(api: Api): Promise<Pairing> {
    const keys = terminalKeyPair();
    const request = { publicKey: encodeBase64(keys.publicKey), supportsV2: true };
    await api.auth.requestTerminal.mutate(request);
    return {
        link: LINK + encodeBase64Url(keys.publicKey),
        publicKey: keys.publicKey,
        async wait({ signal, pollMs = POLL_MS } = {}) {
            for (;;) {
                const answer = await api.auth.requestTerminal.mutate(request, { signal }).catch(passing);
                if (answer?.state === 'authorized') {
                    const contentPublicKey = openPairingResponseV2(answer.response, keys.secretKey);
                    if (!contentPublicKey)
                        throw new Error('The answer to the pairing request is not for this terminal');
                    return { token: answer.token, contentPublicKey };
                }
                await pause(pollMs, signal);
            }
        },
    };
}

/** Lets a terminal in: whoever holds the account's secret answers the link that the terminal shows. */
export async function approvePairing(api: Api, link: string, accountSecret: Uint8Array): Promise<void> {
    const terminal = readPairingLink(link);
    const response = pairingResponseV2(contentKeyPair(accountSecret).publicKey, terminal);
    await api.auth.respondTerminal.mutate({ publicKey: encodeBase64(terminal), response });
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

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal?.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
        });
    });
    signal?.throwIfAborted();
}
