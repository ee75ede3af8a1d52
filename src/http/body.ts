import { ServiceError } from '@/errors';

/** Most bytes of a JSON body, chunked ones included (contract 2). */
export const JSON_BODY_LIMIT = 10 * 1024 * 1024;

/**
 * The body of a request as text, never holding more than `limit` bytes.
 * @throws PAYLOAD_TOO_LARGE past the limit, VALIDATION_FAILED for bytes that are not UTF-8
 */
export async function readText(request: Request, limit = JSON_BODY_LIMIT): Promise<string> {
    if (Number(request.headers.get('Content-Length') ?? 0) > limit) throw tooLarge(limit);
    if (!request.body) return '';
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
    let bytes = 0;
    let text = '';
    try {
        for await (const chunk of request.body as ReadableStream<Uint8Array>) {
            bytes += chunk.byteLength;
            if (bytes > limit) throw tooLarge(limit);
            text += decoder.decode(chunk, { stream: true });
        }
        return text + decoder.decode();
    } catch (error) {
        if (error instanceof ServiceError) throw error;
        throw new ServiceError('VALIDATION_FAILED', 'Body must be UTF-8 text');
    }
}

/**
 * A JSON body, `{}` when there is none; a body without a content type is read as JSON (contract 2).
 * @throws UNSUPPORTED_MEDIA_TYPE for another content type, or a body without one that is not JSON
 */
export async function readJson(request: Request): Promise<unknown> {
    const contentType = request.headers.get('Content-Type');
    const text = await readText(request);
    if (text.trim() === '') return {};
    if (contentType !== null && !isJson(contentType)) throw notJson();
    try {
        return JSON.parse(text);
    } catch {
        if (contentType === null) throw notJson();
        throw new ServiceError('VALIDATION_FAILED', 'Body must be JSON');
    }
}

function isJson(contentType: string): boolean {
    const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
    return type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
}

function notJson(): ServiceError {
    return new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'Body must be JSON');
}

function tooLarge(limit: number): ServiceError {
    return new ServiceError('PAYLOAD_TOO_LARGE', `Body must be at most ${limit} bytes`);
}
