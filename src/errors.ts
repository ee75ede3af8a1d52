import { TRPCError } from '@trpc/server';
import { ZodError } from 'zod';

/** One row per stable machine word of contract 2: the tRPC code and HTTP status it travels as. */
const ERRORS = {
    VALIDATION_FAILED: { trpc: 'BAD_REQUEST', status: 400 },
    UNAUTHORIZED: { trpc: 'UNAUTHORIZED', status: 401 },
    NOT_FOUND: { trpc: 'NOT_FOUND', status: 404 },
    METHOD_NOT_ALLOWED: { trpc: 'METHOD_NOT_SUPPORTED', status: 405 },
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
    /** The code it has at the tRPC door. */
    trpcCode: (typeof ERRORS)[ErrorCode]['trpc'];
    message: string;
    /** There whenever the code is VALIDATION_FAILED; what is wrong as a whole has an empty path. */
    issues?: Issue[];
    /** Seconds after which trying again can help, for `Retry-After`. */
    retryAfter?: number;
}

/** The one error that services throw: `throw new ServiceError('NOT_FOUND', 'Session not found')`. */
export class ServiceError extends TRPCError {
    constructor(
        readonly reason: ErrorCode,
        message: string,
        readonly issues?: Issue[],
        /** Seconds, where the usual minute of RATE_LIMITED is not what it takes. */
        readonly retryAfter?: number,
    ) {
        super({ code: ERRORS[reason].trpc, message });
        this.name = 'ServiceError';
    }
}

/** The one mapper from whatever was thrown to what the caller is told. */
export function toPublicError(error: unknown): PublicError {
    const service = findServiceError(error);
    if (service) return publicError(service.reason, service.message, service.issues, service.retryAfter);

    if (error instanceof TRPCError && error.code !== 'INTERNAL_SERVER_ERROR' && !isBug(error.cause))
        return refusal(error);
    if (isDatabaseFailure(error)) {
        return { ...publicError('SERVICE_UNAVAILABLE', 'Database unavailable, try again'), retryAfter: 1 };
    }
    return publicError('INTERNAL', 'Internal server error');
}

/** True for failures of D1 itself (connection lost, overloaded), not of a statement: trying again can help. */
export function isDatabaseFailure(error: unknown): boolean {
    return chainOf(error).some(({ message }) => message.startsWith('D1_ERROR') && !/SQLITE_(?!BUSY)/.test(message));
}

/**
 * What may be logged of an error: names, and messages that cannot hold what callers stored or sent (P10). Drizzle's
 * messages carry the bound parameters, D1's one that it cannot bind, a SyntaxError's the text that is no JSON; wrappers
 * repeat them.
 */
export function describeForLog(error: unknown): string {
    const chain = chainOf(error);
    const revealing = new Set(
        chain
            .filter((cause) => cause instanceof SyntaxError || /^(Failed query|D1_TYPE_ERROR)/.test(cause.message))
            .map(({ message }) => message),
    );
    const parts = chain.map(({ name, message }) => (revealing.has(message) ? name : `${name}: ${message}`));
    return parts.join(' ← ').slice(0, 1000) || typeof error;
}

const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];
const MAX_ISSUES = 20;
const MAX_ISSUE_PATH = 200;

function publicError(code: ErrorCode, message: string, issues?: Issue[], retryAfter = 60): PublicError {
    const { status, trpc } = ERRORS[code];
    // Rate limits count by the minute unless they say otherwise.
    const waits = code === 'RATE_LIMITED' && { retryAfter };
    // Refused input has issues, also where it is wrong as a whole (contract 2).
    const told = issues ?? (code === 'VALIDATION_FAILED' ? [{ path: '', message }] : undefined);
    return { code, status, trpcCode: trpc, message, ...(told && { issues: told }), ...waits };
}

/** What tRPC itself refuses: input that a schema rejected, or a call that makes no sense. */
function refusal({ code, message, cause }: TRPCError): PublicError {
    if (cause instanceof ZodError) return publicError('VALIDATION_FAILED', 'Invalid input', toIssues(cause));
    const word = ERROR_CODES.find((candidate) => ERRORS[candidate].trpc === code) ?? 'VALIDATION_FAILED';
    // With a cause the message is the cause's, which may quote the input; without, it is tRPC's own.
    return publicError(word, cause ? 'Malformed request' : message);
}

/** tRPC calls whatever a schema throws bad input; these it throws only when the schema itself is wrong. */
function isBug(cause: unknown): boolean {
    return cause instanceof TypeError || cause instanceof ReferenceError;
}

function chainOf(error: unknown): Error[] {
    const chain: Error[] = [];
    for (let cause = error; cause instanceof Error && !chain.includes(cause); cause = cause.cause) chain.push(cause);
    return chain;
}

function findServiceError(error: unknown): ServiceError | undefined {
    return chainOf(error).find((cause) => cause instanceof ServiceError);
}

function toIssues(error: ZodError): Issue[] {
    return error.issues
        .slice(0, MAX_ISSUES)
        .map(({ path, message }) => ({ path: path.map(String).join('.').slice(0, MAX_ISSUE_PATH), message }));
}
