import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { dialectOf } from '@/http/dialect';
import { restRoutes } from '@/http/rest';
import { buildOpenApiDocument } from './openapi-document';
import type { JsonContent, Operation, Schema } from './openapi-document';
import { exampleOf } from './openapi-examples';

const document = buildOpenApiDocument();
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(
        ([method, operation]) => [`${method} ${path}`, operation] as const,
    ),
);

function operationAt(method: string, path: string): Operation | undefined {
    const item = document.paths?.[path.replaceAll(/:(\w+)/g, '{$1}')] as Record<string, Operation> | undefined;
    return item?.[method.toLowerCase()];
}

/** Every object within a document that has this key, with what it holds there. */
function valuesOf(key: string, within: unknown): unknown[] {
    if (typeof within !== 'object' || within === null) return [];
    return Object.entries(within).flatMap(([name, value]) => (name === key ? [value] : valuesOf(key, value)));
}

describe('the document', () => {
    it('refers to nothing that it does not hold', () => {
        const references = new Set(valuesOf('$ref', document) as string[]);
        expect(references.size).toBeGreaterThan(5);
        for (const reference of references) {
            const [root, ...keys] = reference.split('/');
            expect(root).toBe('#');
            const found = keys.reduce<unknown>(
                (value, key) => (value as Record<string, unknown> | undefined)?.[key],
                document,
            );
            expect(found, reference).toBeDefined();
        }
    });

    it('shares the schemas of what many operations return, and has none of tRPC’s own errors', () => {
        const names = Object.keys(document.components?.schemas ?? {});
        expect(names).toEqual(expect.arrayContaining(['Error', 'Session', 'Message']));
        expect(names.filter((name) => !/^[A-Z]\w*$/.test(name))).toEqual([]);
    });

    it('lists every tag that is used', () => {
        const used = new Set(operations.flatMap(([, operation]) => (operation as { tags?: string[] }).tags ?? []));
        expect(document.tags?.map(({ name }) => name).sort()).toEqual([...used].sort());
    });

    it.each(operations)('shows by example what %s takes and gives as JSON', (_, { requestBody, responses }) => {
        const ok = responses[200] as { content?: Record<string, JsonContent> } | undefined;
        const bodies = [requestBody?.content['application/json'], ok?.content?.['application/json']];
        expect(bodies.filter((body) => body && (body.example ?? body.examples) === undefined)).toEqual([]);
    });

    it.each(operations)('%s fails with the one error shape', (_, operation) => {
        const { responses } = operation;
        const errors = Object.entries(responses).filter(([status]) => Number(status) >= 400);
        const others = errors.filter(([, response]) => !isError(response)).map(([status]) => status);
        // Outcomes `{success:false, …}` look like the answer itself, and so does what /ready tells.
        const outcomes = others.filter((status) => schemaOf(responses[status]) === schemaOf(responses[200]));
        expect(others).toEqual(outcomes);
    });

    it('is the same each time', () => {
        expect(JSON.stringify(buildOpenApiDocument())).toBe(JSON.stringify(document));
    });
});

/** The schema of a JSON answer as text, references followed one step; undefined when it answers no JSON. */
function schemaOf(response: unknown): string | undefined {
    const name = (response as { $ref?: string }).$ref?.split('/').at(-1) ?? '';
    const named = document.components?.responses?.[name] ?? response;
    const { content } = named as { content?: Record<string, JsonContent> };
    return JSON.stringify(content?.['application/json']?.schema);
}

function isError(response: unknown): boolean {
    return schemaOf(response) === JSON.stringify({ $ref: '#/components/schemas/Error' });
}

/** Every procedure that has a dialect with an answer of its own. */
const dialects = restRoutes().flatMap((route) => {
    const stock = dialectOf(
        new Request('https://server/', { headers: { 'X-Happy-Client': 'x' } }),
        route.procedurePath,
    );
    return stock?.output ? [[`${route.method} ${route.path}`, route, stock.output] as const] : [];
});

describe('an operation that answers published clients otherwise', () => {
    const jsonOf = (method: string, path: string) => {
        const operation = operationAt(method, path);
        if (!operation) throw new Error(`${method} ${path} is not documented`);
        const ok = operation.responses[200] as {
            description: string;
            content: Record<string, JsonContent>;
        };
        return { ...ok.content['application/json'], description: ok.description };
    };

    it.each(dialects)('%s documents both answers', (_, { method, path, procedurePath, procedure }, stockOf) => {
        const { schema } = jsonOf(method, path);
        const documented = exampleOf(procedurePath)?.response;
        const stock = stockOf(documented as never);
        const { schemas } = document.components ?? {};
        const jsonSchema = z.fromJSONSchema({ ...schema, components: { schemas } } as never);
        for (const answer of [documented, stock]) expect(jsonSchema.safeParse(answer).error).toBeUndefined();

        expect(jsonSchema.safeParse('neither').success).toBe(false);

        const { output } = procedure._def as unknown as { output: z.ZodType };
        const isOneShape = output.safeParse(stock).success;
        expect(isOneShape || valuesOf('oneOf', schema).length > 0).toBe(true);
    });

    it.each(['machines', 'artifacts'])('shows the bare list of %s beside the documented answer', (name) => {
        const { schema, examples } = jsonOf('GET', `/v1/${name}`);
        expect(schema?.oneOf).toEqual([
            expect.objectContaining({ type: 'object' }),
            expect.objectContaining({ type: 'array' }),
        ]);
        expect(Object.keys(valueOf(examples, 'documented'))).toEqual([name]);
        expect(examples?.published?.value).toEqual(valueOf(examples, 'documented')[name]);
    });

    it('shows both cursors of the feed', () => {
        const { schema, examples } = jsonOf('GET', '/v1/feed');
        const item = schema?.properties?.items?.items as Schema | undefined;
        const spellings = (item?.properties?.cursor?.oneOf ?? []) as { pattern: string }[];
        const patterns = spellings.map(({ pattern }) => new RegExp(pattern));
        const cursors = ['documented', 'published'].map(
            (name) => (valueOf(examples, name).items as { cursor: string }[])[0]?.cursor ?? '',
        );
        expect(cursors.map((cursor) => patterns.map((pattern) => pattern.test(cursor)))).toEqual([
            [true, false],
            [false, true],
        ]);
    });

    it('says what deleting a session means for them', () => {
        expect(jsonOf('DELETE', '/v1/sessions/:id').description).toMatch(/X-Happy-Client.*for good/);
    });
});

describe('an alias', () => {
    const aliases = restRoutes().filter(({ place }) => place > 0);

    it.each(aliases.map((route) => [`${route.method} ${route.path}`, route] as const))(
        '%s is documented as its main path is, under a name of its own',
        (_, { method, path, procedurePath, meta }) => {
            const alias = operationAt(method, path);
            const main = operationAt(
                meta.openapi?.method ?? '',
                meta.openapi?.path.replaceAll(/\{(\w+)\}/g, ':$1') ?? '',
            );
            expect(alias?.operationId).toMatch(new RegExp(`^${procedurePath.replaceAll('.', '-')}-alias`));
            expect(alias?.responses).toEqual(main?.responses);
            expect(alias?.security).toEqual(main?.security);
        },
    );
});

/** Operations that come from procedures; the others are written by hand. */
const ofProcedures = restRoutes().map((route) => {
    return [`${route.method} ${route.path}`, operationAt(route.method, route.path) as Operation, route.meta] as const;
});

describe('an operation of a procedure', () => {
    it.each(ofProcedures)('%s: a body may be left out unless it has a required field', (_, { requestBody }) => {
        const schema = requestBody?.content['application/json']?.schema;
        if (!schema) return;
        expect(requestBody?.required).toBe((schema.required ?? []).length > 0);
        expect(Object.keys(schema.properties ?? {})).not.toEqual([]);
    });

    it.each(ofProcedures)('%s: parameters are never null', (_, { parameters = [] }) => {
        for (const { schema } of parameters) {
            const types = [schema, ...(schema.anyOf ?? [])].flatMap(({ type }: Schema) => type ?? []);
            expect(types).not.toContain('null');
        }
    });

    it.each(ofProcedures)('%s: errors are the shared ones', (_, { responses }, meta) => {
        for (const [status, response] of Object.entries(responses)) {
            if (Number(status) < 400 || Number(status) === meta.failureStatus) continue;
            expect(response).toEqual({ $ref: expect.stringMatching(/^#\/components\/responses\/\w+$/) as string });
        }
    });
});

/** The value of an example, an empty object when there is none. */
function valueOf(examples: Record<string, { value?: unknown }> | undefined, name: string): Record<string, unknown> {
    return (examples?.[name]?.value ?? {}) as Record<string, unknown>;
}
