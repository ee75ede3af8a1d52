import { chunksOf } from '@/storage/content';
import { reach } from '@/storage/reach';

/** R2 wants parts of at least 5 MiB, all of one size but the last. */
export const PART_BYTES = 5 * 1024 * 1024;

/** Where a buffer starts that grows with what it gets: most files are small, and an isolate serves many at a time. */
const FIRST_BYTES = 64 * 1024;

/** Content of unknown length. */
interface UnsizedContent {
    head: Uint8Array;
    rest: ReadableStream<Uint8Array>;
}

/**
 * Stores content of unknown length holding one part of it at a time; a part is stored before more is read.
 * What a failed upload left behind is thrown away, here or by R2 itself after a week.
 */
export async function uploadParts(
    bucket: R2Bucket,
    key: string,
    { head, rest }: UnsizedContent,
    options: R2PutOptions & R2MultipartOptions,
): Promise<number> {
    const parts: R2UploadedPart[] = [];
    let upload: R2MultipartUpload | undefined;
    let buffer: Uint8Array = new Uint8Array(FIRST_BYTES);
    let filled = 0;

    async function storePart(): Promise<void> {
        const current = (upload ??= await reach(() => bucket.createMultipartUpload(key, options)));
        parts.push(await reach(() => current.uploadPart(parts.length + 1, buffer.subarray(0, filled))));
        filled = 0;
    }

    async function add(chunk: Uint8Array): Promise<void> {
        for (let taken = 0; taken < chunk.length; ) {
            const piece = chunk.subarray(taken, taken + PART_BYTES - filled);
            buffer = grow(buffer, filled, filled + piece.length);
            buffer.set(piece, filled);
            filled += piece.length;
            taken += piece.length;
            if (filled === PART_BYTES) await storePart();
        }
    }

    try {
        await add(head);
        for await (const chunk of chunksOf(rest)) await add(chunk);
        if (!upload) {
            const object = await reach(() => bucket.put(key, buffer.subarray(0, filled), options));
            return object.size;
        }
        if (filled > 0) await storePart();
        const whole: R2MultipartUpload = upload;
        const object = await reach(() => whole.complete(parts));
        return object.size;
    } catch (error) {
        // The first failure is the one to tell, and R2 aborts what is never completed.
        await upload?.abort().catch(() => {});
        throw error;
    }
}

function grow(buffer: Uint8Array, filled: number, needed: number): Uint8Array {
    if (needed <= buffer.length) return buffer;
    const larger = new Uint8Array(Math.min(PART_BYTES, Math.max(needed, buffer.length * 2)));
    larger.set(buffer.subarray(0, filled));
    return larger;
}
