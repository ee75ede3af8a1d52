import type { ZodOpenApiPathsObject } from 'zod-openapi';
import * as z from 'zod';
import { errorsOf } from './openapi-errors';
import { THEN } from './openapi-examples/example';

const tags = ['Server'];
const security: [] = [];
const timestamp = z.int().meta({ description: 'Unix milliseconds' });

/** The paths that no procedure has (contract 2), written by hand; test/contract holds them against the app. */
export const serverPaths: ZodOpenApiPathsObject = {
    '/': {
        get: {
            operationId: 'welcome',
            summary: 'Tell what this server is',
            description: 'With `Accept: text/plain` the bare text, by which the mobile app recognises a server.',
            tags,
            security,
            responses: {
                200: {
                    description: 'The server greets',
                    content: {
                        'application/json': {
                            example: {
                                message: 'Welcome to Happy Server! API documentation is at /docs.',
                                version: '0.1.0',
                                environment: 'production',
                                timestamp: THEN,
                            },
                            schema: z.object({
                                message: z.string(),
                                version: z.string(),
                                environment: z.string(),
                                timestamp,
                            }),
                        },
                        'text/plain': { schema: z.string() },
                    },
                },
                ...errorsOf(500),
            },
        },
    },
    '/health': {
        get: {
            operationId: 'health',
            summary: 'Tell that the server runs',
            description: 'Touches no dependency and needs no configuration.',
            tags,
            security,
            responses: {
                200: {
                    description: 'The server runs',
                    content: {
                        'application/json': {
                            schema: z.object({ status: z.literal('healthy'), timestamp, version: z.string() }),
                            example: { status: 'healthy', timestamp: THEN, version: '0.1.0' },
                        },
                    },
                },
            },
        },
    },
    '/ready': {
        get: {
            operationId: 'ready',
            summary: 'Tell whether configuration, database, storage and Durable Objects can be reached',
            tags,
            security,
            responses: { 200: readiness('All checks passed', true), 503: readiness('A check failed', false) },
        },
    },
    '/openapi.json': {
        get: {
            operationId: 'openapi',
            summary: 'Get this document',
            tags,
            security,
            responses: {
                200: {
                    description: 'An OpenAPI 3.1 document',
                    content: {
                        'application/json': {
                            schema: z.looseObject({ openapi: z.string() }),
                            example: { openapi: '3.1.0', info: { title: 'Happy Server', version: '0.1.0' }, paths: {} },
                        },
                    },
                },
                304: { description: 'The caller has this document already' },
                ...errorsOf(500),
            },
        },
    },
    '/docs': {
        get: {
            operationId: 'docs',
            summary: 'Browse this document',
            description: 'A page that asks no other host for anything.',
            tags,
            security,
            responses: {
                200: { description: 'The page', content: { 'text/html': { schema: z.string() } } },
                304: { description: 'The caller has this page already' },
                ...errorsOf(500),
            },
        },
    },
};

function readiness(description: string, ready: boolean) {
    const checks = z.object({
        environment: z.boolean(),
        database: z.boolean(),
        storage: z.boolean(),
        durableObjects: z.boolean(),
    });
    const schema = z.object({ ready: z.boolean(), checks, timestamp });
    const example = {
        ready,
        checks: { environment: true, database: ready, storage: true, durableObjects: true },
        timestamp: THEN,
    };
    return { description, content: { 'application/json': { schema, example } } };
}
