import { isDeepStrictEqual } from 'node:util';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import type { AppRouter } from '@/routers';
import { CommandError } from './console.mjs';

interface CallOptions {
    token?: string;
    body?: unknown;
    /** The status that the server must answer with. */
    status?: number;
}

/** What a device needs to talk to one server: REST with checked statuses, and tRPC with full types. */
export interface Server {
    url: string;
    /** One REST call; the answer's JSON is the caller's to name. */
    rest<Body>(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<Body>;
    /** The tRPC client of whoever holds the token. */
    trpc(token: string): ReturnType<typeof createTRPCClient<AppRouter>>;
}

/**
 * Finds the server and makes sure that it is one.
 *
 * @throws CommandError when nothing answers there, or something else does
 */
export async function connect(address: string): Promise<Server> {
    const url = address.replace(/\/+$/, '');
    if (!/^https?:\/\/[^/\s]+/.test(url)) {
        throw new CommandError(`"${address}" is not the address of a server.`, ['For example: http://localhost:8787']);
    }
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => error);
    if (answer instanceof Error) {
        const cause = answer.cause instanceof Error && answer.cause.message ? answer.cause.message : answer.message;
        throw new CommandError(`No server answers at ${url} (${cause}).`, [
            'Start it with npm run dev, in another terminal.',
            'If it listens elsewhere, give its address: -- http://localhost:9000',
        ]);
    }
    if (!(await answer.text()).includes('Welcome to Happy Server!')) {
        throw new CommandError(`What answers at ${url} is not a Happy server.`, [
            'Start one with npm run dev, and give its address: -- http://localhost:9000',
        ]);
    }
    return {
        url,
        rest: (method, path, options) => call(url, method, path, options),
        trpc: (token) =>
            createTRPCClient<AppRouter>({
                links: [httpBatchLink({ url: `${url}/trpc`, headers: { authorization: `Bearer ${token}` } })],
            }),
    };
}

async function call<Body>(url: string, method: string, path: string, options: CallOptions = {}): Promise<Body> {
    const { token, body, status = 200 } = options;
    const response = await fetch(url + path, {
        method,
        headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (response.status !== status) {
        throw new CommandError(`${method} ${path} answered ${response.status} instead of ${status}.`, [text]);
    }
    return JSON.parse(text) as Body;
}

/**
 * Holds what came back against what should have.
 *
 * @throws CommandError naming both
 */
export function same(what: string, actual: unknown, expected: unknown): void {
    if (!isDeepStrictEqual(actual, expected)) {
        throw new CommandError(`${what}: not what it should be.`, [
            `expected ${JSON.stringify(expected)}`,
            `got      ${JSON.stringify(actual)}`,
        ]);
    }
}
