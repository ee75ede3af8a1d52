import type { RestRoute } from '@/http/rest';
import type { Operation, Schema } from './openapi-document';

/** Lists that published clients get bare, by procedure: the field that holds them for everybody else (contract 1). */
const BARE_LISTS: Record<string, string> = {
    'machines.list': 'machines',
    'artifacts.list': 'artifacts',
};

/** Says of an answer that differs for requests with `X-Happy-Client` what it is then. */
export function describeDialect(operation: Operation, { procedurePath }: RestRoute): void {
    const field = BARE_LISTS[procedurePath];
    if (field === undefined) return;
    const ok = operation.responses[200] as { content: Record<string, { schema: Schema }> };
    const content = ok.content['application/json'];
    const list = content?.schema.properties?.[field];
    if (!content || !list) throw new Error(`${procedurePath} has no ${field}`);
    content.schema = {
        oneOf: [content.schema, { ...list, description: 'With the header X-Happy-Client: the bare list' }],
    };
}
