import { encodeBase64 } from '@/crypto/base64';
import type { Answer, TestAccount } from '@test/helpers/account';
import { call } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';

/** The two kinds of pairing: a terminal with a phone, a device with an account. */
export const PAIRINGS = [
    { kind: 'terminal', table: 'TerminalAuthRequest', request: '/v1/auth/request', response: '/v1/auth/response' },
    {
        kind: 'account',
        table: 'AccountAuthRequest',
        request: '/v1/auth/account/request',
        response: '/v1/auth/account/response',
    },
] as const;
export type Pairing = (typeof PAIRINGS)[number];

/** One device that wants to be paired, by a public key of its own. */
export interface PairingDevice {
    publicKey: string;
    /** Asks to be let in, or whether it was. */
    poll(extra?: object): Promise<Answer>;
    /** `account` lets the device in. */
    answer(account: TestAccount, response?: string): Promise<Answer>;
    status(): Promise<Answer>;
}

/** A device that has not asked yet. */
export function createDevice(server: TestServer, { request, response: path }: Pairing): PairingDevice {
    const publicKey = encodeBase64(crypto.getRandomValues(new Uint8Array(32)));
    return {
        publicKey,
        poll: (extra = {}) => call(server, 'POST', request, { publicKey, ...extra }),
        answer: (account, response = 'cmVzcG9uc2U=') => account.call('POST', path, { publicKey, response }),
        status: () => call(server, 'GET', `/v1/auth/request/status?publicKey=${encodeURIComponent(publicKey)}`),
    };
}
