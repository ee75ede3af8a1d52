import { generateOpenApiDocument } from 'trpc-to-openapi';
import { restRoutes } from '@/http/rest';
import type { RestRoute } from '@/http/rest';
import type { appRouter } from '@/routers';
import { version } from '../../package.json';
import { describeDialect } from './openapi-dialect';
import { describeErrors, errorResponses, errorSchema } from './openapi-errors';
import { describeExample } from './openapi-examples';
import { filePaths } from './openapi-file-paths';
import { githubPaths } from './openapi-github-paths';
import { describeInput } from './openapi-input';
import { serverPaths } from './openapi-server-paths';
import { socketPaths } from './openapi-socket-paths';
import { describeTags } from './openapi-tags';

type Document = ReturnType<typeof generateOpenApiDocument>;

/** An operation of the document, as far as it is mended here. */
export interface Operation {
    operationId: string;
    security?: object[];
    parameters?: Parameter[];
    requestBody?: { required?: boolean; content: Record<string, JsonContent> };
    responses: Record<string, unknown>;
}

/** What a body holds: its schema, and an example or several by name. */
export interface JsonContent {
    schema: Schema;
    example?: unknown;
    examples?: Record<string, { summary: string; value: unknown }>;
}

/** A path or query parameter of the document. */
export interface Parameter {
    name: string;
    in: string;
    schema: Schema;
    example?: unknown;
}

/** A JSON schema of the document. */
export interface Schema {
    type?: string | string[];
    anyOf?: Schema[];
    properties?: Record<string, Schema>;
    required?: string[];
    [keyword: string]: unknown;
}

/** The OpenAPI 3.1 document of the REST door (contract 8): every route of the procedures, and the few beside them. */
export function buildOpenApiDocument(): Document {
    const routes = restRoutes();
    const document = generateOpenApiDocument(routerOf(routes), {
        title: 'Happy Server',
        description:
            'Sync server for Happy, the end-to-end encrypted client for coding agents. It stores what it cannot read.',
        version,
        openApiVersion: '3.1.0',
        baseUrl: '/',
        securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', description: 'A login token of POST /v1/auth' },
        },
        paths: { ...serverPaths, ...socketPaths, ...githubPaths, ...filePaths },
    });
    for (const route of routes) mend(operationOf(document, route), route);
    document.info.license = { name: 'MIT', identifier: 'MIT' };
    document.tags = describeTags(['Server', ...tagsOf(routes)]);
    document.components = {
        ...document.components,
        schemas: { ...document.components?.schemas, Error: errorSchema },
        responses: errorResponses(),
    };
    return document;
}

/** A router as the generator walks it, with a procedure for every route: it knows one path per procedure only. */
function routerOf(routes: RestRoute[]): typeof appRouter {
    const procedures = routes.map((route): [string, { _def: object }] => {
        const { procedure, meta } = route;
        // Error answers are not the generator's: it would describe tRPC's.
        const openapi = {
            ...meta.openapi,
            method: route.method,
            path: documentPath(route),
            ...namesOf(route),
            errorResponses: [],
        };
        return [openapi.operationId, { _def: { ...procedure._def, meta: { openapi } } }];
    });
    return { _def: { procedures: Object.fromEntries(procedures) } } as unknown as typeof appRouter;
}

function namesOf({ procedurePath, place, meta }: RestRoute): { operationId: string; description?: string } {
    const operationId = procedurePath.replaceAll('.', '-');
    if (place === 0) return { operationId };
    return {
        operationId: `${operationId}-alias${place > 1 ? `-${place}` : ''}`,
        description: `The same as ${meta.openapi?.method} ${meta.openapi?.path}.`,
    };
}

function mend(operation: Operation, route: RestRoute): void {
    // Said outright, since an operation that says nothing leaves the reader to guess.
    operation.security ??= [];
    describeInput(operation);
    describeExample(operation, route);
    describeDialect(operation, route);
    describeErrors(operation, route.meta);
}

function operationOf(document: Document, route: RestRoute): Operation {
    const item = document.paths?.[documentPath(route)] as Record<string, Operation> | undefined;
    const operation = item?.[route.method.toLowerCase()];
    if (!operation) throw new Error(`${route.method} ${route.path} is missing in the document`);
    return operation;
}

/** OpenAPI's spelling of a route: `/v1/sessions/{id}`. */
function documentPath({ path }: RestRoute): `/${string}` {
    return path.replace(/:(\w+)/g, '{$1}') as `/${string}`;
}

function tagsOf(routes: RestRoute[]): string[] {
    return [...new Set(routes.flatMap(({ meta }) => meta.openapi?.tags ?? []))].sort();
}
