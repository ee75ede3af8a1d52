import { TRPCError } from '@trpc/server';
import { ZodError } from 'zod';

/** One row per stable machine word of contract 2: the tRPC code and HTTP status it travels as. */
const ERRORS = {
    VALIDATION_FAILED: { trpc: 'BAD_REQUEST', status: 400 },
    UNAUTHORIZED: { trpc: 'UNAUTHORIZED', status: 401 },
    NOT_FOUND: { trpc: 'NOT_FOUND', status: 404 },
    CONFLICT: { trpc: 'CONFLICT', status: 409 },
    PAYLOAD_TOO_LARGE: { trpc: 'PAYLOAD_TOO_LARGE', status: 413 },
    UNSUPPORTED_MEDIA_TYPE: { trpc: 'UNSUPPORTED_MEDIA_TYPE', status: 415 },
    RATE_LIMITED: { trpc: 'TOO_MANY_REQUESTS', status: 429 },
    INTERNAL: { trpc: 'INTERNAL_SERVER_ERROR', status: 500 },
    CONFIGURATION: { trpc: 'INTERNAL_SERVER_ERROR', status: 500 },
    BAD_GATEWAY: { trpc: 'BAD_GATEWAY', status: 502 },
    SERVICE_UNAVAILABLE: { trpc: 'SERVICE_UNAVAILABLE', status: 503 },
} as const;

/** Stable machine word of an error (contract 2). */
export type ErrorCode = keyof typeof ERRORS;

/** Where in the input a problem lies, and what it is. */
export interface Issue {
    path: string;
    message: string;
}

/** An error as a caller may see it: never a stack, an SQL text or a zod dump. */
export interface PublicError {
    code: ErrorCode;
    status: (typeof ERRORS)[ErrorCode]['status'];
    message: string;
    issues?: Issue[];
}

/** The one error that services throw: `throw new ServiceError('NOT_FOUND', 'Session not found')`. */
export class ServiceError extends TRPCError {
    constructor(
        readonly reason: ErrorCode,
        message: string,
        readonly issues?: Issue[],
    ) {
        super({ code: ERRORS[reason].trpc, message });
        this.name = 'ServiceError';
    }
}

/** The one mapper from whatever was thrown to what the caller is told. */
export function toPublicError(error: unknown): PublicError {
    const service = findServiceError(error);
    if (service) return publicError(service.reason, service.message, service.issues);

    if (error instanceof TRPCError && error.code !== 'INTERNAL_SERVER_ERROR') {
        if (error.cause instanceof ZodError) {
            return publicError('VALIDATION_FAILED', 'Invalid input', toIssues(error.cause));
        }
        const code = ERROR_CODES.find((word) => ERRORS[word].trpc === error.code);
        if (code) return publicError(code, code === 'VALIDATION_FAILED' ? 'Invalid input' : 'Request refused');
        return publicError('VALIDATION_FAILED', 'Request refused');
    }
    if (isDatabaseFailure(error)) return publicError('SERVICE_UNAVAILABLE', 'Database unavailable, try again');
    return publicError('INTERNAL', 'Internal server error');
}

/** True for failures of D1 itself (connection lost, overloaded), not of a statement. */
export function isDatabaseFailure(error: unknown): boolean {
    for (let cause = error; cause instanceof Error; cause = cause.cause) {
        if (cause.message.startsWith('D1_') && !/SQLITE_(CONSTRAINT|ERROR|MISMATCH)/.test(cause.message)) return true;
    }
    return false;
}

/**
 * What may be logged of an error. Drizzle's messages carry the bound parameters, which can be ciphertext or keys,
 * so only the names, and messages of D1 itself, are kept (P10).
 */
export function describeForLog(error: unknown): string {
    const parts: string[] = [];
    for (let cause = error; cause instanceof Error; cause = cause.cause) {
        parts.push(cause.message.startsWith('Failed query') ? cause.name : `${cause.name}: ${cause.message}`);
    }
    return parts.join(' ← ').slice(0, 1000) || typeof error;
}

const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

function publicError(code: ErrorCode, message: string, issues?: Issue[]): PublicError {
    return { code, status: ERRORS[code].status, message, ...(issues && { issues }) };
}

function findServiceError(error: unknown): ServiceError | undefined {
    for (let cause = error; cause instanceof Error; cause = cause.cause) {
        if (cause instanceof ServiceError) return cause;
    }
    return undefined;
}

function toIssues(error: ZodError): Issue[] {
    return error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
}
