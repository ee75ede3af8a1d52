import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';

/** A running server's account, as a stock client holds it. */
export interface StockAccount {
    id: string;
    token: string;
    /** Calls REST as a stock client of today does. */
    // Tests say themselves what they expect of a body.
    // oxlint-disable-next-line typescript/no-explicit-any
    call(method: string, path: string, body?: unknown): Promise<any>;
}

/** The published client, and everything it was told. */
export interface StockSocket {
    io: Socket;
    /** Events with their arguments, in the order they came. */
    // Tests say themselves what they expect of data.
    // oxlint-disable-next-line typescript/no-explicit-any
    events: { event: string; args: any[] }[];
    /** The updates among them. */
    // Tests say themselves what they expect of data.
    // oxlint-disable-next-line typescript/no-explicit-any
    updates(): any[];
    /** Waits for the first event that fits; earlier ones count. For 10 s, unless it may take longer. */
    // Tests say themselves what they expect of data.
    // oxlint-disable-next-line typescript/no-explicit-any
    next(event: string, fits?: (data: any) => boolean, withinMs?: number): Promise<any>;
}

/** Logs a new account in. */
export async function createStockAccount(url: string): Promise<StockAccount> {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const challenge = randomBytes(32);
    const key = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
    const body = {
        publicKey: key,
        challenge: challenge.toString('base64'),
        signature: sign(null, challenge, privateKey).toString('base64'),
    };
    const { token } = (await request(url, 'POST', 'v1/auth', body)) as { token: string };
    const { sub } = JSON.parse(atob(token.split('.')[1] ?? '')) as { sub: string };
    return { id: sub, token, call: (method, path, data) => request(url, method, path, data, token) };
}

async function request(url: string, method: string, path: string, body?: unknown, token?: string): Promise<unknown> {
    const send = () =>
        fetch(new URL(path, url), {
            method,
            headers: {
                'X-Happy-Client': 'test/1.0.0',
                ...(token !== undefined && { Authorization: `Bearer ${token}` }),
                ...(body !== undefined && { 'Content-Type': 'application/json' }),
            },
            ...(body !== undefined && { body: JSON.stringify(body) }),
        });
    // workerd ends a connection that was idle for 5 s, and a busy machine may see that only when it uses it again.
    const response = await send().catch(send);
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
}

/** Makes a session of the account. */
export async function createStockSession(account: StockAccount): Promise<string> {
    const { session } = await account.call('POST', 'v1/sessions', { tag: randomUUID(), metadata: 'bWV0YQ==' });
    return session.id;
}

/** Makes a machine of the account. */
export async function createStockMachine(account: StockAccount): Promise<string> {
    const { machine } = await account.call('POST', 'v1/machines', { id: randomUUID(), metadata: 'bWFjaGluZQ==' });
    return machine.id;
}

/** The client with the options that published clients give it; not connected yet. */
export function createStockSocket(url: string, auth: object, options: Parameters<typeof io>[1] = {}): StockSocket {
    const client = io(url, {
        path: '/v1/updates/',
        transports: ['websocket'],
        autoConnect: false,
        reconnection: false,
        withCredentials: true,
        forceNew: true,
        auth,
        ...options,
    });
    const socket: StockSocket = {
        io: client,
        events: [],
        updates: () => socket.events.filter(({ event }) => event === 'update').map(({ args }) => args[0]),
        next: (event, fits = () => true, withinMs?: number) =>
            until(
                () => {
                    const found = socket.events.find((one) => one.event === event && fits(one.args[0]));
                    return found && { found: found.args[0] };
                },
                `${event} among ${JSON.stringify(socket.events)}`,
                withinMs,
            ).then(({ found }) => found),
    };
    client.onAny((event: string, ...args: unknown[]) =>
        socket.events.push({ event, args: args.filter((arg) => typeof arg !== 'function') }),
    );
    return socket;
}

/** Connects it, and waits until that worked; throws what the server refused it with. */
export async function connect({ io: client }: StockSocket): Promise<void> {
    await new Promise<void>((resolve, reject) => {
        client.once('connect', resolve);
        client.once('connect_error', reject);
        client.connect();
    });
}

/** A connected client of the account. */
export async function openStockSocket(
    url: string,
    account: StockAccount,
    auth: object = {},
    options?: Parameters<typeof io>[1],
): Promise<StockSocket> {
    const socket = createStockSocket(url, { token: account.token, ...auth }, options);
    await connect(socket);
    return socket;
}

/** Waits until `find` finds something. */
export async function until<T>(find: () => T | undefined | false, what: string, withinMs = 10_000): Promise<T> {
    const end = Date.now() + withinMs;
    for (;;) {
        const found = find();
        if (found !== undefined && found !== false) return found;
        if (Date.now() > end) throw new Error(`Waited in vain: ${what.slice(0, 3000)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}
