import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Pool } from 'undici';

/** Requests that are under way at a time: enough to keep one Worker busy. */
const CONCURRENCY = 8;

/** A request, ready to be sent. */
export interface Call {
    method: 'GET' | 'POST';
    path: string;
    body?: unknown;
}

/** An account on one server, with its token on every call. */
export interface Client {
    origin: string;
    token: string;
    /** @throws unless the answer is 200 */
    send<Body>(call: Call): Promise<Body>;
    /** Sends `count` calls, a fixed number at a time, and waits for all of them. */
    load(count: number, next: (i: number) => Call): Promise<void>;
    close(): Promise<void>;
}

/** Logs a new account in. */
export async function createClient(origin: string): Promise<Client> {
    // workerd ends a connection that was idle for 5 s; while its opponent is measured, one may be.
    const pool = new Pool(origin, { connections: CONCURRENCY, keepAliveTimeout: 1000 });
    let token = '';

    async function request({ method, path, body }: Call): Promise<string> {
        const response = await pool.request({
            method,
            path,
            headers: {
                ...(token && { authorization: `Bearer ${token}` }),
                ...(body !== undefined && { 'content-type': 'application/json' }),
            },
            body: body === undefined ? null : JSON.stringify(body),
        });
        const text = await response.body.text();
        if (response.statusCode !== 200) throw new Error(`${method} ${path} answered ${response.statusCode}: ${text}`);
        return text;
    }

    const client: Client = {
        origin,
        get token() {
            return token;
        },
        send: async <Body>(call: Call) => JSON.parse(await request(call)) as Body,
        async load(count, next) {
            let sent = 0;
            const worker = async () => {
                while (sent < count) {
                    sent += 1;
                    await request(next(sent));
                }
            };
            await Promise.all(Array.from({ length: CONCURRENCY }, worker));
        },
        close: () => pool.close(),
    };
    token = (await client.send<{ token: string }>({ method: 'POST', path: '/v1/auth', body: loginBody(createKeys()) }))
        .token;
    return client;
}

/** Login keys of a new account. */
export interface LoginKeys {
    publicKey: string;
    privateKey: KeyObject;
}

/** Makes login keys. */
export function createKeys(): LoginKeys {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const der = publicKey.export({ format: 'der', type: 'spki' });
    return { publicKey: der.subarray(-32).toString('base64'), privateKey };
}

/** The body of POST /v1/auth, with a challenge of its own. */
export function loginBody({ publicKey, privateKey }: LoginKeys) {
    const challenge = randomBytes(32);
    return {
        publicKey,
        challenge: challenge.toString('base64'),
        signature: sign(null, challenge, privateKey).toString('base64'),
    };
}

/** Makes a session with metadata of ordinary size; its id. */
export async function createSession(client: Client): Promise<string> {
    const { session } = await client.send<{ session: { id: string } }>({
        method: 'POST',
        path: '/v1/sessions',
        body: { tag: randomUUID(), metadata: ciphertext(600) },
    });
    return session.id;
}

/** What an encrypted text looks like to the server. */
export function ciphertext(bytes: number): string {
    return randomBytes(bytes).toString('base64');
}

/** A message to append. */
export function message() {
    return { localId: randomUUID(), content: ciphertext(300) };
}
