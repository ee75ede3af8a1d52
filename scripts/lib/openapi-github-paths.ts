import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { errorsOf } from './openapi-errors';

const tags = ['Connect'];
const security: [] = [];
const header = (description: string) => z.string().optional().meta({ description });

/** What GitHub itself calls (contract 4.6), written by hand: a redirect, and a body that is signed as the bytes it is. */
export const githubPaths: ZodOpenApiPathsObject = {
    '/v1/connect/github/callback': {
        get: {
            operationId: 'connect-githubCallback',
            summary: 'Come back from GitHub, and go on to the app',
            description:
                'GitHub sends people here. They go on to HAPPY_APP_URL with `github=connected&user=<login>`, or with `error=` ' +
                'and invalid_state, server_config, no_access_token, github_user_fetch_failed, server_error or a word of ' +
                'GitHub’s own. A state links once.',
            tags,
            security,
            requestParams: {
                query: z.object({
                    code: z.string().optional().meta({ description: 'Proof that the person allowed the app' }),
                    state: z
                        .string()
                        .optional()
                        .meta({ description: 'What `GET /v1/connect/github/params` put into the URL' }),
                    error: z.string().optional().meta({ description: 'Why the person or GitHub refused' }),
                }),
            },
            responses: {
                302: { description: 'On to the app', headers: z.object({ Location: z.string() }) },
                ...errorsOf(500),
            },
        },
    },
    '/v1/connect/github/webhook': {
        post: {
            operationId: 'connect-githubWebhook',
            summary: 'Take a webhook delivery of GitHub',
            description:
                'The signature is checked on the very bytes of the body. A withdrawn authorization (`github_app_authorization`, ' +
                '`revoked`) unlinks the account, once per delivery; every other event is only acknowledged.',
            tags,
            security,
            requestParams: {
                header: z.object({
                    'X-Hub-Signature-256': header('`sha256=` and the HMAC of the body in hex'),
                    'X-GitHub-Event': header('The name of the event'),
                    'X-GitHub-Delivery': header('The id of the delivery'),
                }),
            },
            requestBody: {
                content: {
                    'application/json': {
                        schema: z.looseObject({}),
                        example: { action: 'revoked', sender: { id: 42, login: 'janedoe' } },
                    },
                },
            },
            responses: {
                200: {
                    description: 'Acknowledged',
                    content: {
                        'application/json': {
                            schema: z.object({ received: z.literal(true) }),
                            example: { received: true },
                        },
                    },
                },
                ...errorsOf(400, 401, 413, 500, 503),
            },
        },
    },
};
