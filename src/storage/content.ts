import { ServiceError } from '@/errors';

/** Bytes on their way in, of a length the sender has declared: the runtime can move them by itself. */
export interface SizedContent {
    size: number;
    stream: ReadableStream<Uint8Array>;
}

/** Bytes of unknown length, from a chunked body or a form. A chunk lasts until the next one is asked for. */
export interface UnsizedContent {
    size: null;
    chunks: AsyncIterable<Uint8Array>;
}

export type Content = SizedContent | UnsizedContent;

/** Content of which the beginning has been read; `rest` is null when that was all. */
export interface PeekedContent {
    head: Uint8Array;
    rest: Content | null;
}

/** Reads the beginning of content until `isEnough` of it, or its end. */
export async function peek(content: Content, isEnough: (head: Uint8Array) => boolean): Promise<PeekedContent> {
    const chunks = (content.size === null ? content.chunks : chunksOf(content.stream))[Symbol.asyncIterator]();
    let head: Uint8Array = new Uint8Array(0);
    for (;;) {
        const { done, value } = await chunks.next();
        if (done) return { head, rest: null };
        head = concat(head, value);
        if (isEnough(head)) break;
    }
    if (content.size === null) return { head, rest: { size: null, chunks: { [Symbol.asyncIterator]: () => chunks } } };
    // Gives the stream free again.
    await chunks.return?.();
    return { head, rest: content };
}

/**
 * The same content, held to at most `limit` bytes.
 * @throws what `error` makes: at once for a declared length, else as soon as there is a byte too many
 */
export function limitSize(content: Content, limit: number, error: () => Error): Content {
    // The runtime holds a body to its declared length.
    if (content.size === null) return { size: null, chunks: limitChunks(content.chunks, limit, error) };
    if (content.size > limit) throw error();
    return content;
}

async function* limitChunks(chunks: AsyncIterable<Uint8Array>, limit: number, error: () => Error) {
    let bytes = 0;
    for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > limit) throw error();
        yield chunk;
    }
}

const CHUNK_BYTES = 64 * 1024;

/**
 * The chunks of a stream, all of them in one piece of memory: a chunk lasts until the next one is asked for. Memory of its
 * own for each would pile up by the megabyte before it is collected. Whoever stops early leaves the rest in the stream.
 * @throws VALIDATION_FAILED for a body that breaks off
 */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = byteReader(stream);
    if (!reader) {
        yield* stream;
        return;
    }
    let memory = new ArrayBuffer(CHUNK_BYTES);
    try {
        for (;;) {
            const { done, value } = await reader.read(new Uint8Array(memory));
            if (done) return;
            yield value;
            memory = value.buffer;
        }
    } catch (error) {
        throw error instanceof ServiceError ? error : brokenBody();
    } finally {
        reader.releaseLock();
    }
}

/** What is told of a body that did not come to its end. */
export function brokenBody(): ServiceError {
    return new ServiceError('VALIDATION_FAILED', 'The body broke off');
}

/** Bodies that come over the wire can be read into memory of ours; null for a stream made in JavaScript. */
function byteReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
    try {
        return stream.getReader({ mode: 'byob' });
    } catch {
        return null;
    }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return both;
}
