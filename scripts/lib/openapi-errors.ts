import type { Meta } from '@/trpc';
import type { Operation } from './openapi-document';

/** Error answers of contract 2, by status: name, description, and what one says. Each has the one error shape. */
const ERRORS = {
    400: ['ValidationFailed', 'The input is not valid', 'VALIDATION_FAILED', 'Invalid input'],
    401: [
        'Unauthorized',
        'No valid bearer token, or the signature or public key is not accepted',
        'UNAUTHORIZED',
        'Unauthorized',
    ],
    404: ['NotFound', 'No such object of this account', 'NOT_FOUND', 'Session not found'],
    409: ['Conflict', 'The object exists already or belongs to somebody else', 'CONFLICT', 'Access key already exists'],
    413: ['PayloadTooLarge', 'The body is too large', 'PAYLOAD_TOO_LARGE', 'File too large (max 10MB)'],
    415: ['UnsupportedMediaType', 'The body is not JSON', 'UNSUPPORTED_MEDIA_TYPE', 'Body must be JSON'],
    429: ['RateLimited', 'Too many requests from this address', 'RATE_LIMITED', 'Too many requests, try again'],
    500: ['Internal', 'The server failed', 'INTERNAL', 'Internal server error'],
    502: ['BadGateway', 'Another service failed', 'BAD_GATEWAY', 'ElevenLabs answered with something unexpected'],
    503: [
        'ServiceUnavailable',
        'The database or another service cannot be reached',
        'SERVICE_UNAVAILABLE',
        'Database unavailable, try again',
    ],
} as const;

/** trpc-to-openapi documents tRPC's own error shape; this door answers contract 2's. */
export function describeErrors(operation: Operation, meta: Meta): void {
    const { 200: ok } = operation.responses;
    const isPublic = operation.security?.length === 0;
    const applies: Partial<Record<string, boolean>> = {
        400: Boolean(operation.requestBody) || Boolean(operation.parameters?.length),
        401: !isPublic || Boolean(operation.requestBody),
        404: operation.parameters?.some((parameter) => parameter.in === 'path') ?? false,
        413: Boolean(operation.requestBody),
        415: Boolean(operation.requestBody),
        429: isPublic,
        500: true,
        503: true,
    };
    for (const status of furtherStatuses(meta)) applies[status] = true;

    operation.responses = { 200: ok };
    if (meta.etagWithout) operation.responses[304] = { description: 'The caller has this answer already' };
    const statuses = Object.keys(ERRORS).map(Number) as (keyof typeof ERRORS)[];
    Object.assign(operation.responses, errorsOf(...statuses.filter((status) => applies[status])));
    // An outcome body `{success:false, …}`: the schema of 200 has both outcomes.
    if (meta.failureStatus) operation.responses[meta.failureStatus] = { ...(ok as object), description: 'Not done' };
}

/** The shared error answers of these statuses, as an operation refers to them. */
export function errorsOf(...statuses: (keyof typeof ERRORS)[]) {
    return Object.fromEntries(
        statuses.map((status) => [status, { $ref: `#/components/responses/${ERRORS[status][0]}` as const }]),
    );
}

/** The error answers, for `components.responses`. */
export function errorResponses() {
    const schema = { $ref: '#/components/schemas/Error' };
    return Object.fromEntries(
        Object.values(ERRORS).map(([name, description, code, error]) => {
            const issues = code === 'VALIDATION_FAILED' && {
                issues: [{ path: 'publicKey', message: 'Must be 32 bytes' }],
            };
            const example = { error, code, requestId: 'cmgx4s0aa1k2j3h4g5f6d7s8q', ...issues };
            return [name, { description, content: { 'application/json': { schema, example } } }];
        }),
    );
}

/** The one error shape of contract 2, for `components.schemas`. */
export const errorSchema = {
    type: 'object' as const,
    required: ['error', 'code', 'requestId'],
    properties: {
        error: { type: 'string' as const, description: 'What went wrong, for people' },
        code: { type: 'string' as const, description: 'A stable word for programs, such as NOT_FOUND' },
        requestId: { type: 'string' as const, description: 'Names the request in the server log' },
        issues: {
            type: 'array' as const,
            description: 'Where in refused input the problems lie; an empty path is the input as a whole',
            items: {
                type: 'object' as const,
                required: ['path', 'message'],
                properties: { path: { type: 'string' as const }, message: { type: 'string' as const } },
            },
        },
    },
};

/** Statuses that a procedure names itself, beyond those that follow from its shape. */
function furtherStatuses({ openapi }: Meta): number[] {
    const further = openapi?.errorResponses ?? [];
    return Array.isArray(further) ? further : Object.keys(further).map(Number);
}
