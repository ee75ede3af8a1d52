import { describe, expect, it } from 'vitest';
import { chunksOf, limitSize, peek } from '@/storage/content';
import type { Content } from '@/storage/content';

/** A body as it comes over the wire, in pieces of the given lengths: 0, 1, 2 … 255, 0, 1 … */
function body(...lengths: number[]): ReadableStream<Uint8Array> {
    const { readable, writable } = new IdentityTransformStream();
    void (async () => {
        const writer = writable.getWriter();
        let value = 0;
        for (const length of lengths) await writer.write(Uint8Array.from({ length }, () => value++)).catch(() => {});
        await writer.close().catch(() => {});
    })();
    return readable;
}

const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i);

async function collect(content: Content): Promise<Uint8Array> {
    const chunks = content.size === null ? content.chunks : chunksOf(content.stream);
    let all = Buffer.alloc(0);
    for await (const chunk of chunks) all = Buffer.concat([all, chunk]);
    return new Uint8Array(all);
}

const unsized = (stream: ReadableStream<Uint8Array>): Content => ({ size: null, chunks: chunksOf(stream) });

describe('peeking', () => {
    it.each([
        ['of declared length', (stream: ReadableStream<Uint8Array>): Content => ({ size: 500_000, stream })],
        ['of unknown length', unsized],
    ])('takes no more than it needs of a body %s, and loses nothing', async (_, make) => {
        const { head, rest } = await peek(make(body(10, 200_000, 299_990)), (seen) => seen.length >= 100);
        expect(head.length).toBeGreaterThanOrEqual(100);
        expect(head.length).toBeLessThan(200_000);
        const tail = await collect(rest as Content);
        expect(Buffer.compare(Buffer.concat([head, tail]), counting(500_000))).toBe(0);
    });

    it('says when that was all', async () => {
        expect(await peek(unsized(body(10, 20)), () => false)).toEqual({ head: counting(30), rest: null });
        expect(await peek(unsized(body()), () => true)).toEqual({ head: new Uint8Array(0), rest: null });
    });

    it('works on a stream that was made in JavaScript', async () => {
        const stream = new ReadableStream<Uint8Array>({
            start(controller) {
                for (const n of [1, 2, 3]) controller.enqueue(new Uint8Array([n]));
                controller.close();
            },
        });
        const { head, rest } = await peek(unsized(stream), () => true);
        expect([...head, ...(await collect(rest as Content))]).toEqual([1, 2, 3]);
    });
});

describe('a limit', () => {
    const error = new Error('too large');

    it('refuses a declared length at once', () => {
        expect(() => limitSize({ size: 101, stream: body(1) }, 100, () => error)).toThrow(error);
        expect(limitSize({ size: 100, stream: body(100) }, 100, () => error).size).toBe(100);
    });

    it('stops a body of unknown length at the first byte too many', async () => {
        expect(await collect(limitSize(unsized(body(60, 40)), 100, () => error))).toEqual(counting(100));
        await expect(collect(limitSize(unsized(body(60, 41)), 100, () => error))).rejects.toBe(error);
    });
});

describe('chunks', () => {
    it('share one piece of memory', async () => {
        const seen = new Set<number>();
        for await (const chunk of chunksOf(body(100_000, 100_000, 100_000))) seen.add(chunk.buffer.byteLength);
        expect([...seen]).toEqual([64 * 1024]);
    });

    it('leave the rest in the stream for who stops early', async () => {
        const stream = body(10, 10);
        for await (const chunk of chunksOf(stream)) {
            expect(chunk).toEqual(counting(10));
            break;
        }
        expect(await collect(unsized(stream))).toEqual(counting(20).slice(10));
    });

    it('say of a body that breaks off what the caller may hear', async () => {
        const { readable, writable } = new IdentityTransformStream();
        void writable.abort(new Error('network'));
        const read = collect(unsized(readable));
        await expect(read).rejects.toMatchObject({ reason: 'VALIDATION_FAILED', message: 'The body broke off' });
    });
});
