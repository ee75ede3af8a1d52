import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Miniflare } from 'miniflare';

const ACCOUNT_ID = '0123456789abcdef0123456789abcdef';
const DATABASE_ID = '11111111-2222-4333-8444-555555555555';

interface Deployment {
    /** Names of the bindings that came with the code, by type. */
    bindings: Record<string, string[]>;
    modules: number;
}

/** What stands in for Cloudflare while a test lets the real wrangler act on an account: its API, and one deployed Worker. */
export interface CloudflareApi {
    /** Environment of a command that talks to it. */
    env: Record<string, string>;
    /** Where the Worker is reached once it is deployed: /health and /ready only. */
    workerUrl: string;
    /** Every call that changed something, as in `PUT scripts/happy`. */
    changes: string[];
    /** The Worker's secrets by name. */
    secrets: Map<string, string>;
    deployments: Deployment[];
    /** The next call whose path holds the text fails with the code and message, once. */
    failOnce(path: string, code: number, message: string): void;
    /** Runs before the call is answered. */
    onCall(listener: (call: string) => Promise<void> | void): void;
    sql(statement: string): Promise<Record<string, unknown>[]>;
    close(): Promise<void>;
}

interface Failure {
    path: string;
    code: number;
    message: string;
}

class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: number,
        message: string,
    ) {
        super(message);
    }
}

/** Starts an empty account that has nothing but a workers.dev name. */
export async function startCloudflareApi(): Promise<CloudflareApi> {
    const miniflare = new Miniflare({
        modules: true,
        script: 'export default { fetch: () => new Response() }',
        compatibilityDate: '2026-04-01',
        d1Databases: ['DB'],
    });
    const database = await miniflare.getD1Database('DB');
    const changes: string[] = [];
    const secrets = new Map<string, string>();
    const deployments: Deployment[] = [];
    const buckets = new Set<string>();
    const databases = new Map<string, string>();
    let failures: Failure[] = [];
    let listener: (call: string) => Promise<void> | void = () => undefined;

    /** The answer to a call, below the account's path. */
    async function answer(method: string, path: string, request: IncomingMessage, body: Buffer): Promise<unknown> {
        const json = () => JSON.parse(body.toString('utf8')) as Record<string, unknown>;
        const [first = '', second = '', third = '', fourth = ''] = path.split('/');
        const call = `${method} ${path}`;
        if (path === 'd1/database' && method === 'GET') {
            return [...databases].map(([name, uuid]) => ({ name, uuid }));
        }
        if (path === 'd1/database' && method === 'POST') {
            const name = String(json().name);
            databases.set(name, DATABASE_ID);
            return { name, uuid: DATABASE_ID };
        }
        if (first === 'd1' && third === DATABASE_ID) return databaseCall(method, fourth, json);
        if (first === 'r2' && method === 'GET') {
            if (!buckets.has(third)) throw new ApiError(404, 10006, 'The specified bucket does not exist.');
            return { name: third };
        }
        if (first === 'r2' && method === 'POST') {
            buckets.add(String(json().name));
            return {};
        }
        // What wrangler asks to explain a failure, or to tell how large a bucket is.
        if (['user', 'accounts', 'graphql'].includes(first)) return { status: 'active' };
        if (path === 'workers/subdomain') return { subdomain: 'somebody' };
        if (first !== 'workers') throw new ApiError(404, 7003, `No such call here: ${call}`);
        const hasWorker = deployments.length > 0;
        if (path === 'workers/scripts') return [];
        if (fourth === 'script-settings') return {};
        if (fourth === 'assets-upload-session') return { jwt: 'assets', buckets: [] };
        if (second === 'scripts' && fourth === '' && method === 'PUT') return upload(request, body);
        if (fourth === 'subdomain' && method === 'GET' && hasWorker) return { enabled: true, previews_enabled: false };
        if (fourth === 'subdomain' || fourth === 'schedules') return { enabled: true, previews_enabled: false };
        if (!hasWorker) throw new ApiError(404, 10007, 'This Worker does not exist on your account.');
        if (fourth === 'secrets-bulk' || (fourth === 'settings' && method === 'PATCH')) return settings(request, body);
        if (fourth === 'secrets' && method === 'GET') {
            return [...secrets.keys()].map((name) => ({ name, type: 'secret_text' }));
        }
        if (fourth === 'settings') return { bindings: [], migration_tag: 'v1' };
        if (second === 'services' || fourth === 'deployments' || fourth === 'versions') {
            return {
                default_environment: { script: { tag: 'tag', migration_tag: 'v1', tags: null } },
                deployments: [],
            };
        }
        throw new ApiError(404, 7003, `No such call here: ${call}`);
    }

    async function databaseCall(method: string, what: string, json: () => Record<string, unknown>) {
        if (method === 'GET') return { uuid: DATABASE_ID, name: [...databases.keys()][0], version: 'production' };
        if (what !== 'query') throw new ApiError(404, 7003, `No such call here: ${method} ${what}`);
        const { sql, params = [] } = json() as { sql: string; params?: unknown[] };
        const answers = await database
            .batch(statements(sql).map((text) => database.prepare(text).bind(...params)))
            .catch((error: Error) => {
                throw new ApiError(400, 7500, error.message);
            });
        return answers.map(({ results, meta }) => ({ results, success: true, meta: { ...meta, duration: 1 } }));
    }

    async function upload(request: IncomingMessage, body: Buffer) {
        const form = await formOf(request, body);
        const { bindings = [] } = JSON.parse(await textOf(form.get('metadata'))) as {
            bindings?: { type: string; name: string; text?: string }[];
        };
        const byType: Record<string, string[]> = {};
        for (const { type, name, text } of bindings) {
            (byType[type] ??= []).push(name);
            if (type === 'secret_text' && text !== undefined) secrets.set(name, text);
        }
        deployments.push({ bindings: byType, modules: [...form.keys()].length - 1 });
        return { id: 'worker', startup_time_ms: 1, deployment_id: 'd', etag: 'e', tag: 'tag' };
    }

    async function settings(request: IncomingMessage, body: Buffer) {
        const form = await formOf(request, body);
        const { bindings = [] } = JSON.parse(await textOf(form.get('settings'))) as {
            bindings?: { type: string; name: string; text?: string }[];
        };
        for (const { name, text } of bindings) if (text !== undefined) secrets.set(name, text);
        return { bindings: [] };
    }

    const server = createServer((request, response) => {
        const url = new URL(request.url ?? '/', 'http://api');
        const path = url.pathname.replace(/^\/client\/v4\//, '').replace(`accounts/${ACCOUNT_ID}/`, '');
        const method = request.method ?? 'GET';
        response.setHeader('content-type', 'application/json');
        const send = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
        const handle = async () => {
            const body = await buffer(request);
            if (deployments.length > 0 && url.pathname === '/health') return send(200, { status: 'healthy' });
            if (deployments.length > 0 && url.pathname === '/ready') {
                const environment = secrets.has('HAPPY_MASTER_SECRET') && secrets.has('HAPPY_DERIVED_KEYS');
                return send(environment ? 200 : 503, { ready: environment, checks: { environment, database: true } });
            }
            await listener(`${method} ${path}`);
            const failure = failures.find((planned) => `${method} ${path}`.includes(planned.path));
            failures = failures.filter((planned) => planned !== failure);
            if (failure) throw new ApiError(400, failure.code, failure.message);
            const result = await answer(method, path, request, body);
            if (method !== 'GET' && !path.endsWith('/query')) changes.push(`${method} ${path}`);
            return send(200, { success: true, errors: [], messages: [], result });
        };
        handle().catch((error: unknown) => {
            const { status, code, message } =
                error instanceof ApiError ? error : { status: 500, code: 1, message: String(error) };
            if (code === 7003 || code === 1) process.stderr.write(`cloudflare-api: ${message}\n`);
            send(status, { success: false, errors: [{ code, message }], messages: [], result: null });
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
        env: {
            CLOUDFLARE_API_BASE_URL: `${origin}/client/v4`,
            CLOUDFLARE_API_TOKEN: 'a-token',
            CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID,
        },
        workerUrl: origin,
        changes,
        secrets,
        deployments,
        failOnce: (path, code, message) => failures.push({ path, code, message }),
        onCall: (next) => {
            listener = next;
        },
        sql: async (statement) => (await database.prepare(statement).all()).results,
        close: async () => {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
            await miniflare.dispose();
        },
    };
}

/** Statements of a text, at semicolons that end a line or the text; none of ours has one inside a string. */
function statements(sql: string): string[] {
    return sql
        .split(/;\s*(?:\n|$)/)
        .map((text) => text.replace(/^\s*-->.*$/gm, '').trim())
        .filter((text) => text !== '');
}

async function formOf(request: IncomingMessage, body: Buffer): Promise<FormData> {
    return new Response(new Uint8Array(body), {
        headers: { 'content-type': request.headers['content-type'] ?? '' },
    }).formData();
}

async function textOf(value: unknown): Promise<string> {
    return value instanceof Blob ? value.text() : String(value);
}
