import * as fc from 'fast-check';
import { encodeBase64 } from '@/crypto/base64';

/** A JSON schema as openapi.json has them. */
export interface Schema {
    $ref?: string;
    type?: string | string[];
    const?: unknown;
    enum?: unknown[];
    anyOf?: Schema[];
    oneOf?: Schema[];
    allOf?: Schema[];
    contentEncoding?: string;
    minLength?: number;
    maxLength?: number;
    pattern?: string;
    minimum?: number;
    maximum?: number;
    items?: Schema;
    minItems?: number;
    maxItems?: number;
    properties?: Record<string, Schema>;
    required?: string[];
    additionalProperties?: boolean | Schema;
}

/** Stands in a made value for an id that exists; `resolveIds` puts one there. */
export const KNOWN_IDS = 5;
const knownId = fc.nat({ max: KNOWN_IDS - 1 }).map((index) => `known:${index}`);
const NAMES_ID = /^(id|uid|\w+Id)$/;

/** Longest text and list that is made: limits themselves have tests of their own. */
const MAX_LENGTH = 40;
const MAX_ITEMS = 3;

/** Values that a schema of the document accepts, as far as the schema tells; `lookup` resolves its references. */
export function valueOf(schema: Schema, lookup: (ref: string) => Schema): fc.Arbitrary<unknown> {
    const inner = (part: Schema) => valueOf(part, lookup);
    if (schema.$ref !== undefined) return inner(lookup(schema.$ref));
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (options) return fc.oneof(...options.map(inner));
    if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => inner({ ...schema, type })));

    switch (schema.type) {
        case 'null':
            return fc.constant(null);
        case 'boolean':
            return fc.boolean();
        case 'integer':
            return fc.oneof(fc.integer(small(schema)), fc.integer(range(schema)));
        case 'number':
            return fc.double({ ...range(schema), noNaN: true });
        case 'string':
            return textOf(schema);
        case 'array': {
            const minLength = schema.minItems ?? 0;
            const maxLength = Math.max(minLength, Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS));
            return fc.array(inner(schema.items ?? {}), { minLength, maxLength });
        }
        case 'object':
            return objectOf(schema, inner);
        default:
            return fc.jsonValue({ maxDepth: 3 });
    }
}

function objectOf(schema: Schema, inner: (part: Schema) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
    const fields = Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, part]) => [key, orKnownId(key, inner(part))]),
    );
    const record = fc.record(fields, { requiredKeys: schema.required ?? [] });
    const { additionalProperties: further } = schema;
    if (typeof further !== 'object') return record;
    return fc
        .tuple(fc.dictionary(fc.string({ maxLength: 8 }), inner(further), { maxKeys: 3 }), record)
        .map(([a, b]) => ({ ...a, ...b }));
}

/** For a field whose name says that it holds an id: often one that exists. */
export function orKnownId(name: string, made: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
    return NAMES_ID.test(name) ? fc.oneof(made, knownId) : made;
}

/** A copy of a made value with ids that exist where it wants some; what is nested deeper than any schema is left alone. */
export function resolveIds(value: unknown, ids: string[], levels = 10): unknown {
    if (typeof value === 'string' && value.startsWith('known:')) return ids[Number(value.slice(6))] ?? value;
    if (typeof value !== 'object' || value === null || levels === 0) return value;
    if (Array.isArray(value)) return value.map((inner) => resolveIds(inner, ids, levels - 1));
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveIds(inner, ids, levels - 1)]));
}

function textOf({ contentEncoding, pattern, minLength = 0, maxLength = MAX_LENGTH }: Schema): fc.Arbitrary<string> {
    if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength });
    const longest = Math.max(minLength, Math.min(maxLength, MAX_LENGTH));
    if (contentEncoding === 'base64') {
        const size = { minLength: Math.max(0, (minLength / 4) * 3 - 2), maxLength: Math.floor(longest / 4) * 3 };
        return fc.uint8Array(size).map((bytes) => encodeBase64(bytes));
    }
    return fc.string({ minLength, maxLength: longest, unit: 'grapheme' });
}

/** Numbers that versions, cursors and counters really have. */
function small({ minimum = 0, maximum = 3 }: Schema) {
    const min = Math.max(minimum, -1);
    return { min: Math.min(min, maximum), max: Math.max(Math.min(maximum, 3), minimum) };
}

function range({ minimum = -1000, maximum = 1000 }: Schema) {
    return { min: Math.max(minimum, -1e9), max: Math.min(maximum, 1e9) };
}
