import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { call, createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { resolveIds, valueOf } from '@test/security/from-schema';
import type { Schema } from '@test/security/from-schema';
import { lookup, operations } from '@test/security/operations';

/** What neither UTF-8 nor SQLite's texts can hold, as JSON spells it: NUL, and half a surrogate pair. */
const UNSTORABLE = ['a\\u0000b', '\\ud800', 'a\\udfffb', '\\udc00\\ud800'];
/** Stands in a body for the text under test; its JSON is replaced, since JSON.stringify would spell it its own way. */
const PLACE = 'unstorable';

const server = startServer();
let account: TestAccount;
let sid: string;

beforeAll(async () => {
    account = await createAccount(server);
    sid = await createSession(account);
});

/** A place in a body that takes a text, and how a text gets there. */
interface Place {
    name: string[];
    put: (value: unknown, text: string) => unknown;
}

const sampleOf = (schema: Schema) => fc.sample(valueOf(schema, lookup), { numRuns: 1, seed: 1 })[0];

/** Where a schema has a text that is not one of a few words. */
function placesOf(schema: Schema): Place[] {
    if (schema.$ref !== undefined) return placesOf(lookup(schema.$ref));
    if (schema.enum || schema.const !== undefined) return [];
    const { properties, items } = schema;
    if (properties) {
        return Object.entries(properties).flatMap(([key, part]) =>
            placesOf(part).map(({ name, put }) => ({
                name: [key, ...name],
                put: (value, text) => ({
                    ...(value as object),
                    [key]: put((value as Record<string, unknown> | undefined)?.[key], text),
                }),
            })),
        );
    }
    if (items) {
        return placesOf(items).map(({ name, put }) => ({
            name: ['0', ...name],
            put: (value, text) => [put((value as unknown[] | undefined)?.[0] ?? sampleOf(items), text)],
        }));
    }
    const options = schema.anyOf ?? schema.oneOf;
    if (options) {
        // The rest of the value must be of the same option.
        return options.flatMap((option) =>
            placesOf(option).map(({ name, put }) => ({ name, put: (_, text) => put(sampleOf(option), text) })),
        );
    }
    return [schema.type ?? 'string'].flat().includes('string') ? [{ name: [], put: (_, text) => text }] : [];
}

/** What is taken but not kept as it is: an error's own text is thrown away, a file's name is cleaned. */
const NOT_KEPT = ['POST /v1/sessions/{id}/archive originalError', 'PUT /v1/uploads/raw filename'];
const isKept = (operation: string, field: string) => !NOT_KEPT.includes(`${operation} ${field}`);

const fields = operations.flatMap((operation) => {
    const { method, path, body } = operation;
    if (!body || operation.isPublic) return [];
    return placesOf(body)
        .map((place) => [`${method} ${path}`, place.name.join('.'), operation, place] as const)
        .filter(([named, field]) => isKept(named, field));
});

describe('text that cannot be stored', () => {
    it.each(fields)('%s refuses it in %s', async (_, __, { method, path, body, example }, place) => {
        const made = resolveIds(example ?? sampleOf(body ?? {}), [sid]);
        const json = JSON.stringify(place.put(made, PLACE));
        const filled = path.replaceAll(/\{\w+\}/g, sid);
        for (const text of UNSTORABLE) {
            server.db.rowsWritten = 0;
            const { status, body: answer } = await account.call(
                method,
                filled,
                json.replace(`"${PLACE}"`, `"${text}"`),
            );
            expect([text, status, answer.code]).toEqual([text, 400, 'VALIDATION_FAILED']);
            // Within a choice of shapes the issue names the choice.
            const named = answer.issues.map((issue: { path: string }) => issue.path.split('.')[0]);
            expect(named).toContain(place.name[0]);
            expect(server.db.rowsWritten).toBe(0);
        }
    });

    const parameters = operations
        .filter(({ isPublic }) => !isPublic)
        .flatMap(({ method, path, parameters: all }) =>
            all.map(({ name, in: place }) => [`${method} ${path}`, name, place, method, path] as const),
        )
        .filter(([named, name]) => isKept(named, name));

    it.each(parameters)('%s refuses NUL in the parameter %s', async (_, name, place, method, path) => {
        const filled = path.replaceAll(/\{(\w+)\}/g, (__, key: string) => (key === name ? 'a%00b' : sid));
        const { status, body } = await account.call(method, place === 'query' ? `${filled}?${name}=a%00b` : filled);
        // An id of a kind that cannot have NUL may as well be one that nobody has.
        expect([400, 404]).toContain(status);
        expect(body.code).toBe(status === 400 ? 'VALIDATION_FAILED' : 'NOT_FOUND');
    });
});

describe('text that is no UTF-8', () => {
    it('is refused as a whole body', async () => {
        const body = new Uint8Array([
            ...new TextEncoder().encode('{"tag":"'),
            0xed,
            0xa0,
            0x80,
            ...new TextEncoder().encode('"}'),
        ]);
        const response = await server.fetch('/v1/sessions', {
            method: 'POST',
            body,
            headers: { Authorization: `Bearer ${account.token}`, 'Content-Type': 'application/json' },
        });
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({ error: 'Body must be UTF-8 text', code: 'VALIDATION_FAILED' });
    });

    it('is refused in login and pairing too', async () => {
        for (const path of ['/v1/auth', '/v1/auth/challenge', '/v1/auth/request', '/v1/auth/account/request']) {
            for (const text of UNSTORABLE) {
                const body = `{"publicKey":"${text}","challenge":"${text}","signature":"${text}"}`;
                expect((await call(server, 'POST', path, body)).status).toBe(400);
            }
        }
    });
});
