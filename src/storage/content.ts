import { ServiceError } from '@/errors';

/** Bytes on their way in. */
export interface Content {
    stream: ReadableStream<Uint8Array>;
    /** Bytes, where the sender said how many; null for a chunked body or a part of a form. */
    size: number | null;
}

/** Content of which the beginning has been read. */
export interface PeekedContent {
    head: Uint8Array;
    /** The bytes after `head`; null when there are none. */
    rest: ReadableStream<Uint8Array> | null;
    /** Bytes of all, as far as known. */
    size: number | null;
}

/**
 * Reads the beginning of content until `isEnough` of it, or its end; the rest stays a stream that can still be piped
 * without passing through JavaScript.
 */
export async function peek({ stream, size }: Content, isEnough: (head: Uint8Array) => boolean): Promise<PeekedContent> {
    const reader = stream.getReader();
    let head: Uint8Array = new Uint8Array(0);
    try {
        for (;;) {
            const { done, value } = await reader.read().catch(rethrow);
            if (done) return { head, rest: null, size: head.length };
            head = head.length === 0 ? value : concat(head, value);
            if (isEnough(head)) return { head, rest: stream, size };
        }
    } finally {
        reader.releaseLock();
    }
}

/** The same content, which breaks off with `error` once it is longer than `limit` bytes. */
export function limitSize({ stream, size }: Content, limit: number, error: () => Error): Content {
    if (size !== null) {
        if (size > limit) throw error();
        // The runtime holds a body to its declared length.
        return { stream, size };
    }
    let bytes = 0;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
            bytes += chunk.byteLength;
            if (bytes > limit) controller.error(error());
            else controller.enqueue(chunk);
        },
    });
    return { stream: stream.pipeThrough(counter), size };
}

/** The chunks of a stream; one that breaks off says so in words for the caller. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
        yield* stream;
    } catch (error) {
        rethrow(error);
    }
}

/** What is told of a body that did not come to its end. */
export function brokenBody(): ServiceError {
    return new ServiceError('VALIDATION_FAILED', 'The body broke off');
}

function rethrow(error: unknown): never {
    throw error instanceof ServiceError ? error : brokenBody();
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return both;
}
