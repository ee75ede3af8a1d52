import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TestProject } from 'vitest/node';
import type { PlannedAnswer, ReceivedRequest } from './services';

interface Tenant {
    plans: PlannedAnswer[];
    requests: ReceivedRequest[];
}

/** Bytes of a `huge` answer: more than any client here takes, and never all sent. */
const HUGE_BYTES = 64 * 1024 * 1024;

/**
 * Starts, for the whole test run, the real HTTP server that stands in for GitHub, ElevenLabs, RevenueCat and Expo: the
 * tests, which run in workerd and cannot listen, plan its answers over HTTP. Each first path segment is a tenant.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
    const tenants = new Map<string, Tenant>();
    const server = createServer((request, response) => {
        handle(tenants, request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    project.provide('servicesUrl', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
    };
}

async function handle(tenants: Map<string, Tenant>, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? '/', 'http://service');
    const [, name = '', ...rest] = pathname.split('/');
    const path = `/${rest.join('/')}`;
    const tenant = tenants.get(name) ?? { plans: [], requests: [] };
    tenants.set(name, tenant);

    const body = await readBody(request);
    if (path === '/__plan') {
        tenant.plans.push(JSON.parse(body) as PlannedAnswer);
        response.end();
    } else if (path === '/__requests') {
        response.end(JSON.stringify(tenant.requests));
    } else {
        tenant.requests.push({
            method: request.method ?? '',
            path,
            query: Object.fromEntries(new URLSearchParams(search)),
            headers: request.headers as Record<string, string>,
            body,
        });
        await answer(take(tenant, `${request.method} ${path}`), response);
    }
}

/** The oldest plan for the request; one that is planned `always` stays. */
function take(tenant: Tenant, on: string): PlannedAnswer {
    const index = tenant.plans.findIndex((plan) => plan.on === on);
    const plan = tenant.plans[index];
    if (!plan) return { on, status: 501, body: { error: `nothing planned for ${on}` } };
    if (!plan.always) tenant.plans.splice(index, 1);
    return plan;
}

async function answer(plan: PlannedAnswer, response: ServerResponse): Promise<void> {
    const { status = 200, headers = {}, body = {}, delayMs = 0, fault } = plan;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (fault === 'silent') return;
    if (fault === 'hang-up') {
        response.destroy();
        return;
    }
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    if (fault === 'cut' || fault === 'stall') {
        response.write(text.slice(0, Math.ceil(text.length / 2)));
        if (fault === 'cut') setTimeout(() => response.destroy(), 20);
    } else if (fault === 'huge') {
        await pipeline(Readable.from(blanks()), response);
    } else {
        response.end(text);
    }
}

/** Blanks without an end in sight: JSON, as far as anybody can tell. */
function* blanks(): Generator<Buffer> {
    const chunk = Buffer.alloc(64 * 1024, ' ');
    for (let sent = 0; sent < HUGE_BYTES; sent += chunk.length) yield chunk;
}

async function readBody(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
}
