import { describe, expect, it } from 'vitest';
import { createR2Storage } from '@/storage/r2';
import { PART_BYTES } from '@/storage/upload-parts';
import { probeBucket } from '@test/helpers/bucket';

/** Bytes that tell their place, in pieces that fit no part. */
async function* pieces(size: number): AsyncGenerator<Uint8Array> {
    const piece = new Uint8Array(99_991);
    for (let at = 0; at < size; at += piece.length) {
        for (let i = 0; i < piece.length; i += 1000) piece[i] = (at + i) % 251;
        yield piece.subarray(0, Math.min(piece.length, size - at));
    }
}

async function digest(chunks: AsyncIterable<Uint8Array>): Promise<string> {
    const stream = new crypto.DigestStream('SHA-256');
    const writer = stream.getWriter();
    for await (const chunk of chunks) await writer.write(chunk);
    await writer.close();
    return Buffer.from(await stream.digest).toString('hex');
}

function upload(bucket: ReturnType<typeof probeBucket>, key: string, size: number) {
    const content = { head: new Uint8Array(0), rest: { size: null, chunks: pieces(size) } };
    return createR2Storage(bucket.binding).upload(key, content, 'text/plain');
}

describe('content of unknown length', () => {
    it.each([
        [0, ['put']],
        [1000, ['put']],
        [PART_BYTES - 1, ['put']],
        [PART_BYTES, ['createMultipartUpload', 'uploadPart', 'complete']],
        [PART_BYTES + 1, ['createMultipartUpload', 'uploadPart', 'uploadPart', 'complete']],
        [2 * PART_BYTES + 70_000, ['createMultipartUpload', 'uploadPart', 'uploadPart', 'uploadPart', 'complete']],
    ])('of %i bytes is stored whole, by %j', async (size, calls) => {
        const bucket = probeBucket();
        const key = `parts/${size}`;
        expect(await upload(bucket, key, size)).toBe(size);
        expect(bucket.calls).toEqual(calls);
        const stored = await createR2Storage(bucket.binding).get(key);
        expect(stored?.size).toBe(size);
        expect(await digest(stored?.body as AsyncIterable<Uint8Array>)).toBe(await digest(pieces(size)));
    });
});

describe('a failure', () => {
    it.each(['createMultipartUpload', 'uploadPart'] as const)('of %s leaves nothing', async (call) => {
        for (const when of ['before', 'after'] as const) {
            const bucket = probeBucket();
            bucket.failNext(call, when);
            const key = `failed/${call}-${when}`;
            await expect(upload(bucket, key, PART_BYTES + 1)).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
            expect(await bucket.keys(key)).toEqual([]);
        }
    });

    it('of the sender leaves nothing and is told as it is', async () => {
        const bucket = probeBucket();
        const error = new Error('sender');
        async function* broken() {
            yield* pieces(PART_BYTES + 1);
            throw error;
        }
        const content = { head: new Uint8Array(0), rest: { size: null, chunks: broken() } };
        const uploaded = createR2Storage(bucket.binding).upload('failed/sender', content, 'text/plain');
        await expect(uploaded).rejects.toBe(error);
        expect(await bucket.keys('failed/sender')).toEqual([]);
    });
});
