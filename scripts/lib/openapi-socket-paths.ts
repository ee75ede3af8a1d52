import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';

const text = (description: string) => z.string().optional().meta({ description });

/** The upgrades to native WebSockets (contract 6), written by hand: what follows them is no HTTP. */
export const socketPaths: ZodOpenApiPathsObject = {
    '/v1/updates': upgrade('realtime-updates-socket', 'Open a WebSocket for live updates'),
    '/v1/websocket': upgrade('realtime-websocket', 'Open a WebSocket for live updates, by its other name'),
};

function upgrade(operationId: string, summary: string): ZodOpenApiPathsObject[string] {
    return {
        get: {
            operationId,
            summary,
            description:
                'Who calls is told by a ticket of `POST /v1/websocket/ticket`, by the Authorization header, or by the first ' +
                'message. A caller who is refused is let in and sent off at once with a close code, since browsers see no ' +
                'other answer.',
            tags: ['Realtime'],
            security: [{}, { bearer: [] }],
            requestParams: {
                query: z.object({
                    ticket: text('Valid for 30 seconds, once'),
                    clientType: text('user-scoped, session-scoped or machine-scoped; or the header X-Client-Type'),
                    sessionId: text('For session-scoped; or the header X-Session-Id'),
                    machineId: text('For machine-scoped; or the header X-Machine-Id'),
                    lastSeq: text('The last update the caller has: what it missed comes first'),
                }),
            },
            responses: {
                101: { description: 'A WebSocket' },
                400: { $ref: '#/components/responses/ValidationFailed' },
                426: {
                    description: 'This path is for WebSocket clients',
                    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
                },
                500: { $ref: '#/components/responses/Internal' },
                503: { $ref: '#/components/responses/ServiceUnavailable' },
            },
        },
    };
}
