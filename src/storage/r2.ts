import type { PeekedContent, SizedContent } from '@/storage/content';
import { brokenBody } from '@/storage/content';
import type { ByteRange } from '@/storage/ranges';
import { reach } from '@/storage/reach';
import { uploadParts } from '@/storage/upload-parts';

/** What is known of a stored object without reading it. */
export interface ObjectFacts {
    /** Bytes. */
    size: number;
    /** Quoted, as it stands in a header; changes with the bytes. */
    etag: string;
}

/** A stored object, or a stretch of it, being read. */
export interface ObjectBody extends ObjectFacts {
    body: ReadableStream<Uint8Array>;
}

/** An object as a listing shows it. */
export interface ListedObject {
    key: string;
    /** Unix milliseconds. */
    uploadedAt: number;
}

/**
 * The bucket, as services see it. Bytes are streamed both ways and never held whole.
 * Every call throws SERVICE_UNAVAILABLE when storage cannot be reached.
 */
export interface FileStorage {
    /** Stores content under a key that is then readable at once; tells how many bytes it had. Nothing is kept of a failed upload. */
    upload(key: string, content: PeekedContent, contentType: string): Promise<number>;
    head(key: string): Promise<ObjectFacts | null>;
    get(key: string, range?: ByteRange): Promise<ObjectBody | null>;
    /** Deletes at most 1,000 objects; those that do not exist are no error. */
    delete(keys: string[]): Promise<void>;
    /** Up to 1,000 objects in the order of their keys: those after a key, or those that begin with a prefix. */
    list(options: { after?: string; prefix?: string }): Promise<{ objects: ListedObject[]; hasMore: boolean }>;
}

/** The files of an R2 bucket. */
export function createR2Storage(bucket: R2Bucket): FileStorage {
    return {
        upload(key, content, contentType) {
            const { head, rest } = content;
            const options = { httpMetadata: { contentType } };
            if (rest === null) return sizeOf(reach(() => bucket.put(key, head, options)));
            if (rest.size !== null) return sizeOf(pipe(bucket, key, head, rest, options));
            return uploadParts(bucket, key, startingWith(head, rest.chunks), options);
        },
        async head(key) {
            const object = await reach(() => bucket.head(key));
            return object && { size: object.size, etag: object.httpEtag };
        },
        async get(key, range) {
            const object = await reach(() => bucket.get(key, range ? { range } : {}));
            return object && { size: object.size, etag: object.httpEtag, body: object.body };
        },
        async delete(keys) {
            if (keys.length > 0) await reach(() => bucket.delete(keys));
        },
        async list({ after, prefix }) {
            const page = await reach(() => bucket.list({ startAfter: after, prefix }));
            const objects = page.objects.map(({ key, uploaded }) => ({ key, uploadedAt: uploaded.getTime() }));
            return { objects, hasMore: page.truncated };
        },
    };
}

/** Hands a body of known length on: the runtime moves the bytes, and JavaScript has seen only the first of them. */
async function pipe(
    bucket: R2Bucket,
    key: string,
    head: Uint8Array,
    { size, stream }: SizedContent,
    options: R2PutOptions,
) {
    const { readable, writable } = new FixedLengthStream(size);
    const stored = reach(() => bucket.put(key, readable, options));
    const [object] = await Promise.all([stored, fill(writable, head, stream)]);
    return object;
}

async function fill(writable: WritableStream, head: Uint8Array, rest: ReadableStream): Promise<void> {
    try {
        const writer = writable.getWriter();
        await writer.write(head);
        writer.releaseLock();
        await rest.pipeTo(writable);
    } catch {
        throw brokenBody();
    }
}

async function* startingWith(head: Uint8Array, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield head;
    yield* chunks;
}

async function sizeOf(stored: Promise<R2Object>): Promise<number> {
    return (await stored).size;
}
