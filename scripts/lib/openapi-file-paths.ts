import * as z from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import { UploadAvatarOutput, UploadOutput } from '@/routers/uploads/schema';
import { errorsOf } from './openapi-errors';
import { uploadExamples } from './openapi-examples/uploads';

const { file } = uploadExamples.get.response;
const avatar = {
    id: 'cmgx4s0aa1k2j3h4g5f6d7s8g',
    path: 'avatars/cmgx4s0aa1k2j3h4g5f6d7s8b/cmgx4s0aa1k2j3h4g5f6d7s8g.png',
    url: 'https://happy.example.com/v1/avatars/cmgx4s0aa1k2j3h4g5f6d7s8g?sig=c2lnbmF0dXJl',
    contentType: 'image/png',
    size: 102_400,
    width: 256,
    height: 256,
    thumbhash: null,
};

const bearer = [{ bearer: [] }];
const bytes = z.string().meta({ format: 'binary', description: 'The bytes of the file' });
const category = z.enum(['avatars', 'documents', 'files']).optional().meta({
    description:
        'avatars: JPEG, PNG, GIF, WebP up to 5 MiB; documents: PDF, text, JSON, Markdown up to 50 MiB; files (the default): all of these up to 100,000,000 bytes',
});
const reuseKey = z
    .string()
    .optional()
    .meta({ description: 'Your own name for the content: under a known one the stored file is given back' });

/** What a download answers beside the bytes. */
const downloadHeaders = z.object({
    ETag: z.string().meta({ description: 'A strong validator, for If-None-Match and If-Range' }),
    'Accept-Ranges': z.literal('bytes'),
    'Content-Disposition': z
        .string()
        .meta({ description: 'inline for the four raster images, else attachment (RFC 6266)' }),
});

/** Everything that travels as bytes rather than JSON (contract 4.2, 4.7), written by hand. */
export const filePaths: ZodOpenApiPathsObject = {
    '/v1/uploads': {
        post: {
            operationId: 'uploads-upload',
            summary: 'Upload a file as a form',
            description:
                'The type is found from the bytes, and must be allowed and be the declared one. Large files are better sent to ' +
                '`PUT /v1/uploads/raw`, which costs the server next to nothing.',
            tags: ['Uploads'],
            security: bearer,
            requestBody: {
                required: true,
                content: { 'multipart/form-data': { schema: z.object({ file: bytes, category, reuseKey }) } },
            },
            responses: {
                200: json('The stored file', UploadOutput, { success: true, file }),
                ...errorsOf(400, 401, 413, 415, 500, 503),
            },
        },
    },
    '/v1/uploads/raw': {
        put: {
            operationId: 'uploads-uploadRaw',
            summary: 'Upload a file as its bytes alone',
            description:
                'The way for large files. Send a Content-Length; the Content-Type, if any, must be what the bytes are.',
            tags: ['Uploads'],
            security: bearer,
            requestParams: {
                query: z.object({
                    category,
                    reuseKey,
                    filename: z
                        .string()
                        .optional()
                        .meta({ description: 'The name the file is offered for saving under' }),
                }),
            },
            requestBody: { required: true, content: { 'application/octet-stream': { schema: bytes } } },
            responses: {
                200: json('The stored file', UploadOutput, { success: true, file }),
                ...errorsOf(400, 401, 413, 415, 500, 503),
            },
        },
    },
    '/v1/uploads/avatar': {
        post: {
            operationId: 'uploads-uploadAvatar',
            summary: 'Upload a picture of yourself in place of the one before',
            tags: ['Uploads'],
            security: bearer,
            requestBody: { required: true, content: { 'multipart/form-data': { schema: z.object({ file: bytes }) } } },
            responses: {
                200: json('The new avatar', UploadAvatarOutput, { success: true, avatar }),
                ...errorsOf(400, 401, 413, 415, 500, 503),
            },
        },
    },
    '/v1/uploads/{id}/download': {
        get: download({
            operationId: 'uploads-download',
            summary: 'Download a file',
            tags: ['Uploads'],
            security: bearer,
            requestParams: { path: z.object({ id: z.string() }) },
        }),
    },
    '/v1/avatars/{id}': {
        get: download({
            operationId: 'uploads-avatar',
            summary: "Get somebody's avatar by its signed address",
            description:
                'For friends and image tags: no token. The address is the `url` of an avatar, good for as long as the picture is.',
            tags: ['Uploads'],
            security: [],
            requestParams: { path: z.object({ id: z.string() }), query: z.object({ sig: z.string() }) },
        }),
    },
    '/v1/sessions/{id}/attachments/{file}': {
        put: {
            operationId: 'sessions-uploadAttachment',
            summary: 'Send the bytes of an attachment',
            description: 'To the `uploadUrl` that request-upload gave; at most 10 MiB, 60 a minute.',
            tags: ['Sessions'],
            security: bearer,
            requestParams: { path: z.object({ id: z.string(), file: z.string() }) },
            requestBody: { required: true, content: { 'application/octet-stream': { schema: bytes } } },
            responses: {
                200: json('Stored', z.object({ ok: z.literal(true) }), { ok: true }),
                ...errorsOf(400, 401, 404, 413, 429, 500, 503),
            },
        },
        get: download({
            operationId: 'sessions-downloadAttachment',
            summary: 'Get the bytes of an attachment',
            tags: ['Sessions'],
            security: bearer,
            requestParams: { path: z.object({ id: z.string(), file: z.string() }) },
        }),
    },
};

type Download = Pick<
    ZodOpenApiOperationObject,
    'operationId' | 'summary' | 'description' | 'tags' | 'security' | 'requestParams'
>;

function download(operation: Download): ZodOpenApiOperationObject {
    const header = z.object({
        Range: z.string().optional().meta({ description: 'One range of bytes, as `bytes=0-1023` or `bytes=-500`' }),
        'If-Range': z.string().optional(),
        'If-None-Match': z.string().optional(),
    });
    const content = { 'application/octet-stream': { schema: bytes } };
    return {
        ...operation,
        requestParams: { ...operation.requestParams, header },
        responses: {
            200: { description: 'The whole file', headers: downloadHeaders, content },
            206: { description: 'The range that was asked for', headers: downloadHeaders, content },
            304: { description: 'The caller has this file already' },
            416: {
                description: 'The file has no such range',
                content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
            },
            ...errorsOf(...(operation.security?.length === 0 ? [] : [401 as const]), 404, 500, 503),
        },
    };
}

function json<Output extends z.ZodType>(description: string, schema: Output, example: z.input<Output>) {
    return { description, content: { 'application/json': { schema, example } } };
}
