import { describe, expect, it } from 'vitest';
import { createApp } from '@/app';
import { restRoutes } from '@/http/rest';
import { call } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import document from '../../openapi.json';

interface Operation {
    operationId?: string;
    summary?: string;
    tags?: string[];
    security?: object[];
    parameters?: { name: string; in: string }[];
    responses: Record<string, unknown>;
}

/** Doors with a wire of their own, which OpenAPI cannot describe, and the parts of the page at /docs. */
const BESIDE_OPENAPI = ['/*', '/trpc/*', '/docs/viewer.js', '/docs/start.js'];

const server = startServer();
const spell = (path: string) => path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}').replace(/(?<=.)\/$/, '');
const documented = Object.entries(document.paths as unknown as Record<string, Record<string, Operation>>).flatMap(
    ([path, item]) =>
        Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);
const named = documented.map((entry) => [`${entry.method} ${entry.path}`, entry] as const);
const mounted = createApp().routes.filter(({ path }) => !BESIDE_OPENAPI.includes(path));

describe('the routes of the app and of openapi.json', () => {
    it('are the same', () => {
        const inApp = new Set(
            mounted.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${spell(path)}`),
        );
        const inDocument = new Set<string>(named.map(([name]) => name));
        // A route for all methods stands for whatever the document says of its path.
        for (const { path } of mounted.filter(({ method }) => method === 'ALL')) {
            const matching = named.filter(([, entry]) => entry.path === spell(path)).map(([name]) => name);
            expect(matching, `${path} is not documented`).not.toHaveLength(0);
            for (const name of matching) inApp.add(name);
        }
        expect([...inApp].filter((route) => !inDocument.has(route))).toEqual([]);
        expect([...inDocument].filter((route) => !inApp.has(route))).toEqual([]);
    });

    it('hold every path and alias that a procedure has', () => {
        const names = new Set<string>(named.map(([name]) => name));
        expect(restRoutes().filter(({ method, path }) => !names.has(`${method} ${spell(path)}`))).toEqual([]);
    });
});

describe('every operation', () => {
    it('has a name of its own', () => {
        const ids = documented.map(({ operation }) => operation.operationId);
        expect(new Set(ids).size).toBe(ids.length);
    });

    it.each(named)('%s has name, summary, tag and security', (_, { operation }) => {
        expect(operation.operationId).toMatch(/^[a-zA-Z][\w-]*$/);
        expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
        expect(operation.tags).toHaveLength(1);
        expect(document.tags.map(({ name }) => name)).toContain(operation.tags?.[0]);
        expect([[], [{ bearer: [] }], [{}, { bearer: [] }]]).toContainEqual(operation.security);
    });

    it.each(named)('%s lists the parameters that its path has', (_, { path, operation }) => {
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const listed =
            operation.parameters?.filter((parameter) => parameter.in === 'path').map(({ name }) => name) ?? [];
        expect(listed.sort()).toEqual(inPath.sort());
    });
});

/** Operations of procedures; the others are documented by hand and tested beside their code. */
const ofProcedures = restRoutes().map(({ method, path }) => {
    const entry = documented.find((candidate) => candidate.method === method && candidate.path === spell(path));
    return [`${method} ${path}`, method, path.replaceAll(/:\w+/g, 'x'), entry?.operation] as const;
});

describe('an operation of a procedure', () => {
    it.each(ofProcedures)('%s wants a token exactly if the document says so', async (_, method, path, operation) => {
        const { status, body } = await call(server, method, path);
        const refused = status === 401 && body.error === 'Unauthorized';
        expect(refused).toBe(operation?.security?.length !== 0);
        if (refused) expect(Object.keys(operation?.responses ?? {})).toContain('401');
    });
});
