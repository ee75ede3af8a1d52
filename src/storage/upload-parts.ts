import { reach } from '@/storage/reach';

/** R2 wants parts of at least 5 MiB, all of one size but the last. */
export const PART_BYTES = 5 * 1024 * 1024;

/** Where a buffer starts that grows with what it gets: most files are small, and an isolate serves many at a time. */
const FIRST_BYTES = 256 * 1024;

/**
 * Stores content of unknown length holding one part of it at a time; a part is stored before more is read.
 * What a failed upload left behind is thrown away, here or by R2 itself after a week.
 */
export async function uploadParts(
    bucket: R2Bucket,
    key: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
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
        for (let taken = 0; taken < chunk.length;) {
            const piece = chunk.subarray(taken, taken + PART_BYTES - filled);
            buffer = grow(buffer, filled, filled + piece.length);
            buffer.set(piece, filled);
            filled += piece.length;
            taken += piece.length;
            if (filled === PART_BYTES) await storePart();
        }
    }

    try {
        for await (const chunk of chunks) await add(chunk);
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

/** Buffers are of 256 KiB, 1 MiB or a whole part. */
function grow(buffer: Uint8Array, filled: number, needed: number): Uint8Array {
    if (needed <= buffer.length) return buffer;
    const larger = new Uint8Array(needed <= 4 * FIRST_BYTES ? 4 * FIRST_BYTES : PART_BYTES);
    larger.set(buffer.subarray(0, filled));
    return larger;
}
