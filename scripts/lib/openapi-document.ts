import { generateOpenApiDocument } from 'trpc-to-openapi';
import { appRouter } from '@/routers';
import { version } from '../../package.json';

type Document = ReturnType<typeof generateOpenApiDocument>;

interface Operation {
    security?: unknown;
    parameters?: { in: string }[];
    requestBody?: unknown;
    responses: Record<string, unknown>;
}

/** Error answers of contract 2, by status; each is the one error shape. */
const ERRORS = {
    400: ['ValidationFailed', 'The input is not valid'],
    401: ['Unauthorized', 'No valid bearer token, or the signature or public key is not accepted'],
    404: ['NotFound', 'No such object of this account'],
    413: ['PayloadTooLarge', 'The body is too large'],
    415: ['UnsupportedMediaType', 'The body is not JSON'],
    429: ['RateLimited', 'Too many requests from this address'],
    500: ['Internal', 'The server failed'],
    503: ['ServiceUnavailable', 'The database or another service cannot be reached'],
} as const;

/** The OpenAPI 3.1 document of the REST door (contract 8), from the procedures themselves. */
export function buildOpenApiDocument(): Document {
    const document = generateOpenApiDocument(appRouter, {
        title: 'Happy Server',
        description: 'Sync server for Happy, the end-to-end encrypted client for coding agents. It stores what it cannot read.',
        version,
        openApiVersion: '3.1.0',
        baseUrl: '/',
        tags: ['Auth', 'Sessions', 'Messages'],
        securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', description: 'A login token of POST /v1/auth' },
        },
    });
    for (const item of Object.values(document.paths ?? {})) {
        for (const operation of Object.values(item as Record<string, Operation>)) describeErrors(operation);
    }
    document.components = { ...document.components, schemas: { Error: errorSchema }, responses: errorResponses() };
    return document;
}

/** trpc-to-openapi documents tRPC's own error shape; this door answers contract 2's. */
function describeErrors(operation: Operation): void {
    const { 200: ok } = operation.responses;
    const takesInput = Boolean(operation.requestBody) || Boolean(operation.parameters?.length);
    const applies = {
        400: takesInput,
        401: true,
        404: operation.parameters?.some((parameter) => parameter.in === 'path') ?? false,
        413: Boolean(operation.requestBody),
        415: Boolean(operation.requestBody),
        429: operation.security === undefined,
        500: true,
        503: true,
    };
    operation.responses = { 200: ok };
    for (const [status, [name]] of Object.entries(ERRORS)) {
        if (applies[Number(status) as keyof typeof applies]) {
            operation.responses[status] = { $ref: `#/components/responses/${name}` };
        }
    }
}

function errorResponses() {
    const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
    return Object.fromEntries(Object.values(ERRORS).map(([name, description]) => [name, { description, content }]));
}

const errorSchema = {
    type: 'object' as const,
    required: ['error', 'code', 'requestId'],
    properties: {
        error: { type: 'string' as const, description: 'What went wrong, for people' },
        code: { type: 'string' as const, description: 'A stable word for programs, such as NOT_FOUND' },
        requestId: { type: 'string' as const, description: 'Names the request in the server log' },
        issues: {
            type: 'array' as const,
            description: 'Where in the input the problems lie',
            items: {
                type: 'object' as const,
                required: ['path', 'message'],
                properties: { path: { type: 'string' as const }, message: { type: 'string' as const } },
            },
        },
    },
};
