import { ServiceError } from '@/errors';
import { chunksOf } from '@/storage/content';

/** Most bytes of a JSON body, chunked ones included (contract 2). */
export const JSON_BODY_LIMIT = 10 * 1024 * 1024;

/**
 * The body of a request as text, never holding more than `limit` bytes; past it the rest is not read.
 * @throws PAYLOAD_TOO_LARGE past the limit, VALIDATION_FAILED for bytes that are not UTF-8
 */
export async function readText(request: Request, limit = JSON_BODY_LIMIT): Promise<string> {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
    let text = '';
    try {
        for await (const chunk of boundedChunks(request, limit)) text += decoder.decode(chunk, { stream: true });
        return text + decoder.decode();
    } catch (error) {
        if (error instanceof ServiceError) throw error;
        throw new ServiceError('VALIDATION_FAILED', 'Body must be UTF-8 text');
    }
}

/**
 * The body of a request as the bytes it is, for signatures; past `limit` the rest is not read.
 * @throws PAYLOAD_TOO_LARGE past the limit
 */
export async function readBytes(request: Request, limit = JSON_BODY_LIMIT): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    // A chunk lasts until the next one is asked for.
    for await (const chunk of boundedChunks(request, limit)) chunks.push(chunk.slice());
    return Buffer.concat(chunks);
}

async function* boundedChunks(request: Request, limit: number): AsyncGenerator<Uint8Array> {
    if (Number(request.headers.get('Content-Length') ?? 0) > limit) throw tooLarge(limit);
    if (!request.body) return;
    let bytes = 0;
    for await (const chunk of chunksOf(request.body)) {
        bytes += chunk.byteLength;
        if (bytes > limit) throw tooLarge(limit);
        yield chunk;
    }
}

/**
 * The text of a body that must be JSON, not parsed yet; a body without a content type passes (contract 2).
 * @param wanted what whoever sent another content type is told to send
 * @throws UNSUPPORTED_MEDIA_TYPE for anything in another content type
 */
export async function readJsonText(request: Request, wanted = 'JSON'): Promise<string> {
    const contentType = request.headers.get('Content-Type');
    if (contentType === null || isJson(contentType)) return readText(request);
    if (await isEmpty(request)) return '';
    throw refused(wanted);
}

/**
 * The JSON object in a body, `{}` when there is none (contract 2).
 * @throws UNSUPPORTED_MEDIA_TYPE also for a body without a content type that is not JSON
 * @throws VALIDATION_FAILED for broken JSON, and for JSON that is no object
 */
export async function readJsonObject(request: Request, wanted = 'JSON'): Promise<object> {
    const body = await readJson(request, wanted).catch((error: unknown) => {
        const broken = error instanceof ServiceError && error.reason === 'VALIDATION_FAILED';
        throw broken && !request.headers.has('Content-Type') ? refused(wanted) : error;
    });
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
        throw new ServiceError('VALIDATION_FAILED', 'Body must be a JSON object');
    }
    return body;
}

async function readJson(request: Request, wanted: string): Promise<unknown> {
    const text = await readJsonText(request, wanted);
    if (text.trim() === '') return {};
    try {
        return JSON.parse(text);
    } catch {
        throw new ServiceError('VALIDATION_FAILED', 'Body must be JSON');
    }
}

/** True for `application/json` and its kin (`application/problem+json`), whatever the parameters. */
function isJson(contentType: string): boolean {
    const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
    return type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
}

async function isEmpty(request: Request): Promise<boolean> {
    if (!request.body) return true;
    for await (const chunk of chunksOf(request.body)) {
        if (chunk.byteLength > 0) return false;
    }
    return true;
}

function refused(wanted: string): ServiceError {
    return new ServiceError('UNSUPPORTED_MEDIA_TYPE', `Body must be ${wanted}`);
}

function tooLarge(limit: number): ServiceError {
    return new ServiceError('PAYLOAD_TOO_LARGE', `Body must be at most ${limit} bytes`);
}
