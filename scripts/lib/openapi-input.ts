import type { Operation, Schema } from './openapi-document';

/** Mends what an operation says of its input: a body without required fields may be left out, and a query holds no null. */
export function describeInput(operation: Operation): void {
    for (const parameter of operation.parameters ?? []) parameter.schema = withoutNull(parameter.schema);
    if (operation.parameters?.length === 0) delete operation.parameters;

    const body = operation.requestBody?.content['application/json']?.schema;
    if (!operation.requestBody || !body) return;
    simplifyAnything(body);
    if (Object.keys(body.properties ?? {}).length === 0) delete operation.requestBody;
    else operation.requestBody.required = (body.required ?? []).length > 0;
}

/** Any JSON or null is any JSON. */
function simplifyAnything(schema: Schema): void {
    for (const property of Object.values(schema.properties ?? {})) {
        const isAnything = property.anyOf?.some((option) => Object.keys(option).length === 0);
        if (isAnything) delete property.anyOf;
        simplifyAnything(property);
    }
}

/** A parameter is text: absence is its only null. */
function withoutNull({ anyOf, ...schema }: Schema): Schema {
    if (Array.isArray(schema.type)) {
        const types = schema.type.filter((type) => type !== 'null');
        return { ...schema, type: types.length === 1 ? types[0] : types };
    }
    const options = anyOf?.filter(({ type }) => type !== 'null');
    if (options?.length === 1) return { ...options[0], ...schema };
    return options ? { ...schema, anyOf: options } : schema;
}
