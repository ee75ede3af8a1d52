import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { errorsOf } from './openapi-errors';

const text = (description: string) => z.string().optional().meta({ description });

/**
 * The upgrades to native WebSockets (contract 6) and to Socket.IO (contract 7), written by hand: what follows them is no
 * HTTP.
 */
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
                'other answer: 4001 for a bad ticket or token and for a token in the URL, 4002 for an unknown client type, 4003 ' +
                'and 4004 for a session or machine that is missing or not the account’s, 4005 for too many sockets. An open ' +
                'socket is closed with 4006 when its token is revoked, and with 4008 for a frame over 1 MiB.\n\n' +
                'With `EIO=4&transport=websocket` the path speaks Socket.IO, and the token comes in the first packet.',
            tags: ['Realtime'],
            security: [{}, { bearer: [] }],
            requestParams: {
                query: z.object({
                    ticket: text('Valid for 30 seconds, once'),
                    clientType: text('user-scoped, session-scoped or machine-scoped; or the header X-Client-Type'),
                    sessionId: text('For session-scoped; or the header X-Session-Id'),
                    machineId: text('For machine-scoped; or the header X-Machine-Id'),
                    lastSeq: text('The last update the caller has: what it missed comes first'),
                    EIO: text('For Socket.IO: the version of Engine.IO, of which only 4 is spoken'),
                    transport: text('For Socket.IO: only websocket, no long-polling'),
                }),
            },
            responses: {
                101: { description: 'A WebSocket' },
                ...errorsOf(400),
                426: {
                    description: 'This path is for WebSocket clients',
                    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
                },
                ...errorsOf(429, 500, 503),
            },
        },
    };
}
