import { dialectOf } from '@/http/dialect';
import type { Dialect } from '@/http/dialect';
import type { RestRoute } from '@/http/rest';
import type { JsonContent, Operation, Schema } from './openapi-document';

/** How the document describes what published clients get: in words, and in the answer's schema where it differs. */
interface Description {
    text: string;
    change?: (schema: Schema) => Schema;
}

const PICTURES = 'pictures have the width and height 0 and the thumbhash "" where these are not known';
const ALSO_GITHUB = `${PICTURES}, and GitHub profiles the email null`;

/** By procedure (contract 1). A dialect without a description here ends the build. */
const DESCRIPTIONS: Record<string, Description> = {
    'machines.list': { text: 'the list alone', change: (schema) => orBareList(schema, 'machines') },
    'artifacts.list': { text: 'the list alone', change: (schema) => orBareList(schema, 'artifacts') },
    'feed.list': { text: 'cursors are `0-42` rather than `cursor_42`', change: withEitherCursor },
    'sessions.delete': { text: 'the session is deleted for good' },
    'account.profile': { text: ALSO_GITHUB, change: withNullableEmail },
    'account.updateProfile': { text: ALSO_GITHUB, change: withNullableEmail },
    'users.search': { text: PICTURES },
    'users.get': { text: PICTURES },
    'friends.list': { text: PICTURES },
    'friends.add': { text: PICTURES },
    'friends.remove': { text: PICTURES },
};

const STOCK_REQUEST = new Request('https://server/', { headers: { 'X-Happy-Client': 'cli/1' } });

/** Says of an answer that differs for requests with `X-Happy-Client` what it is then, in words, schema and example. */
export function describeDialect(operation: Operation, { procedurePath }: RestRoute): void {
    const dialect = dialectOf(STOCK_REQUEST, procedurePath);
    if (!dialect) return;
    const description = DESCRIPTIONS[procedurePath];
    if (!description)
        throw new Error(`scripts/lib/openapi-dialect.ts does not describe the dialect of ${procedurePath}`);
    const ok = operation.responses[200] as { description: string; content: Record<string, JsonContent> };
    const content = ok.content['application/json'];
    if (!content) throw new Error(`${procedurePath} answers no JSON`);
    ok.description += `; with the header X-Happy-Client ${description.text}`;
    if (description.change) content.schema = description.change(content.schema);
    describeExamples(content, dialect);
}

/** One example for everybody becomes one for each, where they differ. */
function describeExamples(content: JsonContent, { output }: Dialect): void {
    if (!output || content.example === undefined) return;
    const { example } = content;
    const stock = output(example as never);
    if (JSON.stringify(stock) === JSON.stringify(example)) return;
    delete content.example;
    content.examples = {
        documented: { summary: 'Without X-Happy-Client', value: example },
        published: { summary: 'With X-Happy-Client', value: stock },
    };
}

function orBareList(schema: Schema, field: string): Schema {
    return { oneOf: [schema, propertyOf(schema, field)] };
}

function withEitherCursor(schema: Schema): Schema {
    const changed = structuredClone(schema);
    const item = propertyOf(changed, 'items').items as Schema;
    const cursor = propertyOf(item, 'cursor');
    delete cursor.type;
    cursor.oneOf = ['cursor_', '0-'].map((start) => ({ type: 'string', pattern: `^${start}\\d+$` }));
    return changed;
}

/** The schema with every `email` in it nullable: only GitHub profiles have one. */
function withNullableEmail(schema: Schema): Schema {
    const text = JSON.stringify(schema, (key, value: unknown) =>
        key === 'email' ? { oneOf: [{ type: 'string' }, { type: 'null' }] } : value,
    );
    return JSON.parse(text) as Schema;
}

function propertyOf(schema: Schema, name: string): Schema {
    const property = schema.properties?.[name];
    if (!property) throw new Error(`The schema has no ${name}`);
    return property;
}
