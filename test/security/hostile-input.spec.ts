import * as fc from 'fast-check';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import type { Answer, TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { KNOWN_IDS, orKnownId, resolveIds, valueOf } from '@test/security/from-schema';
import { hostileBody, hostileText, hostileValue, mutate, mutation } from '@test/security/hostile-values';
import type { Mutation } from '@test/security/hostile-values';
import { lookup, operations } from '@test/security/operations';
import type { Operation } from '@test/security/operations';

/** A few runs per operation in CI, always the same; many new ones every night. */
const RUNS = env.TEST_NIGHTLY ? { numRuns: 2000 } : { numRuns: 25, seed: 20_260 };
const TIMEOUT_MS = env.TEST_NIGHTLY ? 3_600_000 : 60_000;

const server = startServer();
let account: TestAccount;
/** Ids that exist, so that some of the inputs get past the first look-up: all the account's own, but for the last. */
let ids: string[];

beforeEach(async () => {
    // What is not configured here is refused with 503, and each refusal logged.
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    account = await createAccount(server);
    const [machine, artifact] = [crypto.randomUUID(), crypto.randomUUID()];
    await account.call('POST', '/v1/machines', { id: machine, metadata: 'bQ==' });
    await account.call('POST', '/v1/artifacts', {
        id: artifact,
        header: 'aA==',
        body: 'Yg==',
        dataEncryptionKey: 'aw==',
    });
    ids = [await createSession(account), account.id, machine, artifact, (await createAccount(server)).id];
    if (ids.length !== KNOWN_IDS) throw new Error(`${KNOWN_IDS} known ids are generated from, not ${ids.length}`);
});
afterEach(() => {
    vi.restoreAllMocks();
});

interface Sent {
    parameters: Record<string, string>;
    query: [string, string][];
    body: unknown;
    headers: Record<string, string>;
    authorized: boolean;
}

const often = <T, U>(arbitrary: fc.Arbitrary<T>, else_: fc.Arbitrary<U>) =>
    fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: else_ });

/** Requests for an operation: mostly what the document asks for, with something spoilt. */
function requestsTo({ parameters, body, example }: Operation): fc.Arbitrary<Sent> {
    const texts = parameters.map(({ name, in: place, schema }) => {
        const made = orKnownId(name, often(valueOf(schema, lookup).map(String), hostileText)) as fc.Arbitrary<string>;
        return { name, place, made };
    });
    const inPath = texts
        .filter(({ place }) => place === 'path')
        .map(({ name, made }) => [name, often(made, rawSegment)]);
    const inQuery = texts
        .filter(({ place }) => place === 'query')
        .map(({ name, made }) => fc.tuple(fc.constant(name), made));
    const stray = fc.tuple(fc.constantFrom('limit', 'id', '__proto__', 'unknown', 'limit[]'), hostileText);

    return fc.record({
        parameters: fc.record(Object.fromEntries(inPath) as Record<string, fc.Arbitrary<string>>),
        query: fc.array(often(inQuery.length > 0 ? fc.oneof(...inQuery) : stray, stray), { maxLength: 3 }),
        body: often(spoilt(bodyOf(body, example)), fc.oneof(hostileBody, fc.constant(undefined))),
        headers: fc.record(
            {
                'Content-Type': often(
                    fc.constant('application/json'),
                    fc.constantFrom('text/plain', 'multipart/form-data; boundary=x', 'x'),
                ),
                'X-Happy-Client': fc.constant('test'),
                'If-None-Match': fc.constantFrom('*', '"x"', 'W/"x", , "'),
                Range: fc.constantFrom('bytes=0-', 'bytes=-1', 'bytes=9-1', 'x'),
            },
            { requiredKeys: ['Content-Type'] },
        ),
        authorized: often(fc.constant(true), fc.constant(false)),
    });
}

/** Path segments that are sent as they are. */
const rawSegment = fc
    .constantFrom('%00', '%2F', '..%2f..', '%zz', '%', '%ED%A0%80', 'x'.repeat(5000))
    .map((raw) => `raw:${raw}`);

/** What a procedure is given at the tRPC door: one object, spoilt, or no object at all. */
function inputsOf({ parameters, body, example }: Operation): fc.Arbitrary<unknown> {
    const fields = parameters.map(({ name, schema }) => [name, orKnownId(name, valueOf(schema, lookup))]);
    const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name);
    const named = fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, {
        requiredKeys: required,
    });
    const object = fc.tuple(named, bodyOf(body, example)).map(([a, b]) => ({ ...a, ...(b as object) }));
    return often(spoilt(object), hostileValue);
}

/** What the schema accepts, and the document's own example: there are rules that no schema tells. */
function bodyOf(body: Operation['body'], example: unknown): fc.Arbitrary<unknown> {
    const made = valueOf(body ?? { type: 'object' }, lookup);
    return example === undefined ? made : fc.oneof(made, fc.constant(example));
}

/** Often as it is, else with up to three changes. */
function spoilt(made: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
    const changes = fc.oneof(fc.constant<Mutation[]>([]), fc.array(mutation, { minLength: 1, maxLength: 3 }));
    return fc.tuple(made, changes).map(([value, mutations]) => mutate(value, mutations));
}

async function send(
    { method, path }: Operation,
    { parameters, query, body, headers, authorized }: Sent,
): Promise<Answer> {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
        const value = String(resolveIds(parameters[name], ids));
        return value.startsWith('raw:') ? value.slice(4) : encodeURIComponent(value.toWellFormed()) || '%20';
    });
    const search = query.map(
        ([key, value]) => `${key}=${encodeURIComponent(String(resolveIds(value, ids)).toWellFormed())}`,
    );
    const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    return fetchAs(authorized, `${filled}?${search.join('&')}`, {
        method,
        headers,
        ...(method !== 'GET' && {
            body: isRaw ? body : JSON.stringify(resolveIds(body, ids)),
        }),
    });
}

async function fetchAs(authorized: boolean, path: string, init: RequestInit): Promise<Answer> {
    const headers = {
        ...(init.headers as Record<string, string>),
        ...(authorized && { Authorization: `Bearer ${account.token}` }),
    };
    server.db.rowsWritten = 0;
    const response = await server.fetch(path, { ...init, headers, redirect: 'manual' });
    const text = await response.text();
    const isJson = response.headers.get('Content-Type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
}

const LEAKS = /SQLITE|D1_ERROR|ZodError|node_modules|\.ts:\d|Failed query/;

/** What holds for every answer, whatever was sent. */
function judge({ status, headers, body }: Answer): void {
    const unavailable = status === 503 && /not configured/.test(JSON.stringify(body));
    expect(status < 500 || unavailable, `${status} ${JSON.stringify(body)}`).toBe(true);
    expect(headers.get('X-Request-Id')).not.toBeNull();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    if (status < 400) return;
    expect(JSON.stringify(body)).not.toMatch(LEAKS);
    expect(server.db.rowsWritten, `${status} wrote rows`).toBe(0);
}

/** Ids of the kind that a path asks for. */
function idFor(path: string): string | undefined {
    const kinds = ['/sessions', '', '/machines', '/artifacts'];
    return ids[kinds.findIndex((kind) => kind !== '' && path.includes(kind))] ?? ids[1];
}

/** Whatever got stored, it can be read again: one odd object must not break a list. */
async function readEverything(): Promise<void> {
    for (const { method, path } of operations) {
        if (method !== 'GET') continue;
        const filled = path.replaceAll(/\{\w+\}/g, () => idFor(path) ?? 'x');
        judge(await fetchAs(true, filled, { method }));
    }
}

/** The one error shape of contract 2, or an outcome body. */
function judgeRest(answer: Answer): void {
    judge(answer);
    const { status, headers, body } = answer;
    if (status < 400 || body.success === false) return;
    const { error, code, requestId, issues, ...rest } = body;
    expect(rest).toEqual({});
    expect([typeof error, typeof code, requestId]).toEqual(['string', 'string', headers.get('X-Request-Id')]);
    for (const issue of issues ?? []) expect([typeof issue.path, typeof issue.message]).toEqual(['string', 'string']);
    if (code === 'VALIDATION_FAILED') expect(issues).not.toEqual([]);
    expect(Array.isArray(issues)).toBe(code === 'VALIDATION_FAILED');
}

function judgeTrpc(answer: Answer): void {
    judge(answer);
    const { status, headers, body } = answer;
    if (status < 400) {
        expect(Object.keys(body)).toEqual(['result']);
        return;
    }
    const { httpStatus, requestId, error, issues } = body.error.data;
    expect([httpStatus, requestId, typeof error]).toEqual([status, headers.get('X-Request-Id'), 'string']);
    if (error === 'VALIDATION_FAILED') expect(issues?.length).toBeGreaterThan(0);
}

describe.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    'hostile input to %s',
    (_, operation) => {
        it(
            'is answered by REST in the contract’s shape, and writes nothing when refused',
            { timeout: TIMEOUT_MS },
            async () => {
                const property = fc.asyncProperty(requestsTo(operation), async (sent) => {
                    const answer = await send(operation, sent);
                    judgeRest(answer);
                    if (!sent.authorized && !operation.isPublic) expect(answer.status).toBe(401);
                });
                await fc.assert(property, RUNS);
                if (operation.method !== 'GET') await readEverything();
            },
        );

        const { procedure } = operation;
        if (!procedure) return;
        it('is answered by tRPC in its shape', { timeout: TIMEOUT_MS }, async () => {
            const authorized = often(fc.constant(true), fc.constant(false));
            const property = fc.asyncProperty(inputsOf(operation), authorized, async (input, known) => {
                const json = JSON.stringify(resolveIds(input, ids));
                const path = `/trpc/${procedure.path}`;
                judgeTrpc(
                    procedure.type === 'query'
                        ? await fetchAs(known, `${path}?input=${encodeURIComponent(json.toWellFormed())}`, {
                              method: 'GET',
                          })
                        : await fetchAs(known, path, {
                              method: 'POST',
                              headers: { 'Content-Type': 'application/json' },
                              body: json,
                          }),
                );
            });
            await fc.assert(property, RUNS);
        });
    },
);
