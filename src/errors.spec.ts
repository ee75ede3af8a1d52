import { TRPCError } from '@trpc/server';
import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { ServiceError, describeForLog, isDatabaseFailure, toPublicError } from '@/errors';
import type { ErrorCode } from '@/errors';

const d1 = (message: string) => new Error(`Failed query: select "x"\nparams: c2VjcmV0`, { cause: new Error(message) });
const zodError = (value: unknown) => z.object({ a: z.object({ b: z.string() }) }).safeParse(value).error as z.ZodError;

describe('toPublicError', () => {
    it.each([
        ['VALIDATION_FAILED', 400, 'BAD_REQUEST'],
        ['UNAUTHORIZED', 401, 'UNAUTHORIZED'],
        ['NOT_FOUND', 404, 'NOT_FOUND'],
        ['METHOD_NOT_ALLOWED', 405, 'METHOD_NOT_SUPPORTED'],
        ['CONFLICT', 409, 'CONFLICT'],
        ['PAYLOAD_TOO_LARGE', 413, 'PAYLOAD_TOO_LARGE'],
        ['UNSUPPORTED_MEDIA_TYPE', 415, 'UNSUPPORTED_MEDIA_TYPE'],
        ['RATE_LIMITED', 429, 'TOO_MANY_REQUESTS'],
        ['INTERNAL', 500, 'INTERNAL_SERVER_ERROR'],
        ['BAD_GATEWAY', 502, 'BAD_GATEWAY'],
        ['SERVICE_UNAVAILABLE', 503, 'SERVICE_UNAVAILABLE'],
    ] as [ErrorCode, number, string][])('tells %s as a service put it: %i, %s', (code, status, trpcCode) => {
        const waits = code === 'RATE_LIMITED' ? { retryAfter: 60 } : {};
        const issues = code === 'VALIDATION_FAILED' ? { issues: [{ path: '', message: 'Said so' }] } : {};
        expect(toPublicError(new ServiceError(code, 'Said so'))).toEqual({
            code,
            status,
            trpcCode,
            message: 'Said so',
            ...issues,
            ...waits,
        });
    });

    it('finds a service error under what tRPC wrapped around it', () => {
        const inner = new ServiceError('NOT_FOUND', 'Session not found');
        const wrapped = new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: inner });
        expect(toPublicError(wrapped)).toMatchObject({ code: 'NOT_FOUND', message: 'Session not found' });
    });

    it('lists where rejected input is wrong', () => {
        const error = new TRPCError({ code: 'BAD_REQUEST', cause: zodError({ a: { b: 1 } }) });
        expect(toPublicError(error)).toEqual({
            code: 'VALIDATION_FAILED',
            status: 400,
            trpcCode: 'BAD_REQUEST',
            message: 'Invalid input',
            issues: [{ path: 'a.b', message: expect.stringContaining('expected string') as string }],
        });
    });

    it('keeps the list of issues short, whatever was sent', () => {
        const many = z.array(z.string()).safeParse(Array.from({ length: 5000 }, () => 1)).error as z.ZodError;
        const long = z.record(z.string(), z.string()).safeParse({ ['k'.repeat(1e6)]: 1 }).error as z.ZodError;
        expect(toPublicError(new TRPCError({ code: 'BAD_REQUEST', cause: many })).issues).toHaveLength(20);
        expect(toPublicError(new TRPCError({ code: 'BAD_REQUEST', cause: long })).issues?.[0]?.path).toHaveLength(200);
    });

    it("passes tRPC's own words on, but no text that quotes the input", () => {
        const own = new TRPCError({ code: 'BAD_REQUEST', message: 'Batch call exceeds maximum size' });
        const quoting = new TRPCError({
            code: 'BAD_REQUEST',
            message: 'bad: secret',
            cause: new SyntaxError('bad: secret'),
        });
        expect(toPublicError(own)).toMatchObject({
            code: 'VALIDATION_FAILED',
            message: 'Batch call exceeds maximum size',
        });
        expect(toPublicError(quoting)).toMatchObject({ code: 'VALIDATION_FAILED', message: 'Malformed request' });
    });

    it('knows no other refusal of tRPC but answers 400 all the same', () => {
        expect(toPublicError(new TRPCError({ code: 'TEAPOT' as 'CONFLICT', message: 'x' })).status).toBe(400);
    });

    it.each([
        ['an unknown error', new Error('secret')],
        ['a type error', new TypeError("Cannot read properties of undefined (reading 'x')")],
        ['a rejected output', new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'secret', cause: zodError(1) })],
        ['a schema that fails', new TRPCError({ code: 'BAD_REQUEST', cause: new TypeError('x is not a function') })],
        ['an error of a statement', d1('D1_ERROR: no such column: x: SQLITE_ERROR')],
        ['a text', 'secret'],
        ['nothing', undefined],
    ])('masks %s', (_, error) => {
        expect(toPublicError(error)).toEqual({
            code: 'INTERNAL',
            status: 500,
            trpcCode: 'INTERNAL_SERVER_ERROR',
            message: 'Internal server error',
        });
    });

    it('says when trying again can help', () => {
        expect(toPublicError(d1('D1_ERROR: Network connection lost.'))).toMatchObject({
            code: 'SERVICE_UNAVAILABLE',
            status: 503,
            retryAfter: 1,
        });
    });
});

describe('isDatabaseFailure', () => {
    it.each([
        'D1_ERROR: Network connection lost.',
        'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
        'D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.',
        'D1_ERROR: database is locked: SQLITE_BUSY',
    ])('%s', (message) => {
        expect(isDatabaseFailure(d1(message))).toBe(true);
        expect(isDatabaseFailure(new Error(message))).toBe(true);
    });

    it.each([
        'D1_ERROR: UNIQUE constraint failed: Account.publicKey: SQLITE_CONSTRAINT',
        'D1_ERROR: malformed JSON: SQLITE_ERROR',
        'D1_ERROR: string or blob too big: SQLITE_TOOBIG',
        "D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'",
        'Network connection lost.',
    ])('is not: %s', (message) => {
        expect(isDatabaseFailure(d1(message))).toBe(false);
    });
});

describe('describeForLog', () => {
    it('keeps messages of D1, not those that carry parameters', () => {
        const wrapped = new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: d1('D1_ERROR: no such table: x') });
        expect(describeForLog(wrapped)).toBe('TRPCError ← Error ← Error: D1_ERROR: no such table: x');
    });

    it('keeps no snippet of what is no JSON, not even in a wrapper', () => {
        const text = '{"t":"encrypted","c":"c2VjcmV0"';
        const error = (() => {
            try {
                return JSON.parse(text) as Error;
            } catch (thrown) {
                return thrown as Error;
            }
        })();
        const wrapped = new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: error });
        expect(describeForLog(wrapped)).toBe('TRPCError ← SyntaxError');
    });

    it('is bounded, and ends for errors that cause each other', () => {
        const a: Error & { cause?: unknown } = new Error('a'.repeat(5000));
        a.cause = new Error('b', { cause: a });
        expect(describeForLog(a).length).toBe(1000);
        expect(describeForLog('text')).toBe('string');
    });
});
