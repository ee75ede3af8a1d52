import { restRoutes } from '@/http/rest';
import type { Schema } from '@test/security/from-schema';
import openapi from '../../openapi.json';

/** An operation of openapi.json, with the procedure behind it where there is one. */
export interface Operation {
    method: string;
    path: string;
    parameters: { name: string; in: string; required?: boolean; schema: Schema }[];
    body: Schema | undefined;
    /** The document's own example of a body. */
    example: unknown;
    isPublic: boolean;
    /** Name and kind at the tRPC door. */
    procedure: { path: string; type: string } | undefined;
}

interface Documented {
    parameters?: Operation['parameters'];
    requestBody?: { content: Record<string, { schema?: Schema; example?: unknown }> };
    security?: object[];
}

/** Every operation that the document has, now and in future. */
export const operations: Operation[] = Object.entries(
    openapi.paths as unknown as Record<string, Record<string, Documented>>,
).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, { parameters = [], requestBody, security }]) => {
        const method = verb.toUpperCase();
        const spelled = path.replaceAll(/\{(\w+)\}/g, ':$1');
        const route = restRoutes().find((candidate) => candidate.method === method && candidate.path === spelled);
        return {
            method,
            path,
            parameters,
            body: requestBody?.content['application/json']?.schema,
            example: requestBody?.content['application/json']?.example,
            isPublic: security?.every((scheme) => Object.keys(scheme).length > 0) !== true || security.length === 0,
            procedure: route && { path: route.procedurePath, type: route.procedure._def.type },
        };
    }),
);

/** The schema that a reference of the document names. */
export function lookup(ref: string): Schema {
    const schemas = openapi.components.schemas as unknown as Record<string, Schema>;
    const schema = schemas[ref.replace('#/components/schemas/', '')];
    if (!schema) throw new Error(`openapi.json has no ${ref}`);
    return schema;
}
