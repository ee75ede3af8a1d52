import { encodeBase64 } from '@/crypto/base64';
import type { TestServer } from '@test/helpers/server';

/** An answer with its body parsed. */
export interface Answer {
    status: number;
    headers: Headers;
    // Tests say themselves what they expect of a body.
    // oxlint-disable-next-line typescript/no-explicit-any
    body: any;
}

/** An account of its own for one test, logged in with a real key pair. */
export interface TestAccount {
    id: string;
    token: string;
    keys: LoginKeys;
    /** Calls the REST door as this account. */
    call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** An Ed25519 key pair as a client has it. */
export interface LoginKeys {
    publicKey: Uint8Array;
    sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Makes a login key pair. */
export async function createLoginKeys(): Promise<LoginKeys> {
    const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
    const publicKey = new Uint8Array((await crypto.subtle.exportKey('raw', pair.publicKey)) as ArrayBuffer);
    return {
        publicKey,
        sign: async (message) =>
            new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, new Uint8Array(message))),
    };
}

/** The body of POST /v1/auth for these keys, with a challenge the client made itself. */
export async function loginBody(keys: LoginKeys, challenge = crypto.getRandomValues(new Uint8Array(32))) {
    return {
        publicKey: encodeBase64(keys.publicKey),
        challenge: encodeBase64(challenge),
        signature: encodeBase64(await keys.sign(challenge)),
    };
}

/** Calls the REST door, with a bearer token if given. */
export async function call(
    server: TestServer,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
): Promise<Answer> {
    const json: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const response = await server.fetch(path, {
        method,
        headers: { ...json, ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('Content-Type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
}

/** Logs a new account in. */
export async function createAccount(server: TestServer): Promise<TestAccount> {
    const keys = await createLoginKeys();
    const { status, body } = await call(server, 'POST', '/v1/auth', await loginBody(keys));
    if (status !== 200) throw new Error(`Login answered ${status}: ${JSON.stringify(body)}`);
    return accountOf(server, body.token, keys);
}

/** What a login token says. Times are Unix seconds. */
export interface TokenPayload {
    sub: string;
    /** Of a paired terminal: the request's id. */
    session?: string;
    iat: number;
    nbf: number;
    iss: string;
    jti: string;
}

/** Reads a token as the mobile app does: plain `atob`. */
export function payloadOf(token: string): TokenPayload {
    return JSON.parse(atob(token.split('.')[1] ?? '')) as TokenPayload;
}

/** The account of a token. */
export function accountOf(server: TestServer, token: string, keys: LoginKeys): TestAccount {
    return {
        id: payloadOf(token).sub,
        token,
        keys,
        call: (method, path, body, headers) =>
            call(server, method, path, body, { Authorization: `Bearer ${token}`, ...headers }),
    };
}

/** Makes a session of the account. */
export async function createSession(account: TestAccount, tag: string = crypto.randomUUID()): Promise<string> {
    const { body } = await account.call('POST', '/v1/sessions', { tag, metadata: 'bWV0YQ==' });
    return body.session.id;
}

/** Makes a machine of the account. */
export async function createMachine(account: TestAccount, id: string = crypto.randomUUID()): Promise<string> {
    const { body } = await account.call('POST', '/v1/machines', { id, metadata: 'bWFjaGluZQ==' });
    return body.machine.id;
}
