import { describe, expect, it } from 'vitest';
import { JSON_BODY_LIMIT, readJsonObject, readText } from '@/http/body';

const MIB = 1024 * 1024;
const bytes = (...values: number[]) => new Uint8Array(values);
const typed = (body: BodyInit, type: string | null = 'application/json') => {
    const request = new Request('https://happy.test/', { method: 'POST', body });
    request.headers.delete('Content-Type');
    if (type !== null) request.headers.set('Content-Type', type);
    return request;
};
const failure = (reason: string) => expect.objectContaining({ reason }) as Error;

/** A body that never ends, and how much of it was asked for. */
function endless() {
    const seen = { chunks: 0, cancelled: false };
    const stream = new ReadableStream<Uint8Array>(
        {
            pull(controller) {
                seen.chunks += 1;
                controller.enqueue(new Uint8Array(MIB).fill(0x20));
            },
            cancel() {
                seen.cancelled = true;
            },
        },
        { highWaterMark: 0 },
    );
    return { stream, seen };
}

describe('the limit', () => {
    it('is 10 MiB, that much included', async () => {
        expect(JSON_BODY_LIMIT).toBe(10 * MIB);
        expect((await readText(typed('x'.repeat(10 * MIB)))).length).toBe(10 * MIB);
        await expect(readText(typed('x'.repeat(10 * MIB + 1)))).rejects.toEqual(failure('PAYLOAD_TOO_LARGE'));
    });

    it('counts bytes, not characters', async () => {
        await expect(readText(typed('é'.repeat(600)), 1000)).rejects.toEqual(failure('PAYLOAD_TOO_LARGE'));
    });

    it('is applied to Content-Length before anything is read', async () => {
        const { stream, seen } = endless();
        const request = typed(stream);
        request.headers.set('Content-Length', String(10 * MIB + 1));
        await expect(readText(request)).rejects.toEqual(failure('PAYLOAD_TOO_LARGE'));
        expect(seen.chunks).toBe(0);
    });

    it.each([null, '1', 'nonsense', '-5'])(
        'holds for chunks with Content-Length %s, and stops reading there',
        async (length) => {
            const { stream, seen } = endless();
            const request = typed(stream);
            if (length !== null) request.headers.set('Content-Length', length);
            await expect(readText(request)).rejects.toEqual(failure('PAYLOAD_TOO_LARGE'));
            expect(seen).toEqual({ chunks: 11, cancelled: true });
        },
    );
});

describe('UTF-8', () => {
    it.each([
        ['a lone continuation byte', bytes(0x80)],
        ['a cut off character', bytes(0xe2, 0x82)],
        ['an overlong slash', bytes(0xc0, 0xaf)],
        ['a surrogate', bytes(0xed, 0xa0, 0x80)],
        ['past U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)],
        ['UTF-16', bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00)],
    ])('refuses %s', async (_, body) => {
        await expect(readText(typed(body))).rejects.toEqual(failure('VALIDATION_FAILED'));
    });

    it('joins characters that chunks cut apart', async () => {
        const text = 'zwölf 💥 №';
        const stream = new ReadableStream<Uint8Array>({
            start(controller) {
                for (const byte of new TextEncoder().encode(text)) controller.enqueue(bytes(byte));
                controller.close();
            },
        });
        expect(await readText(typed(stream))).toBe(text);
    });

    it('drops a byte order mark', async () => {
        expect(await readJsonObject(typed('\ufeff{"a":1}'))).toEqual({ a: 1 });
    });
});

describe('no body', () => {
    it.each([
        ['none', undefined],
        ['an empty one', ''],
        ['white space', ' \r\n\t'],
    ])('%s is {} with and without a content type', async (_, body) => {
        for (const type of [null, 'application/json', 'text/plain']) {
            // White space is something when it is not JSON.
            if (type === 'text/plain' && body?.trim() !== body) continue;
            const request = new Request('https://happy.test/', { method: 'POST', body });
            request.headers.delete('Content-Type');
            if (type !== null) request.headers.set('Content-Type', type);
            expect(await readJsonObject(request)).toEqual({});
        }
    });
});

describe('content type', () => {
    it.each([
        null,
        'application/json',
        'application/json; charset=utf-8',
        'application/json;charset=UTF-8',
        'Application/JSON',
        'application/vnd.api+json',
        'application/problem+json; charset=utf-8',
    ])('%s is read as JSON', async (type) => {
        expect(await readJsonObject(typed('{"a":1}', type))).toEqual({ a: 1 });
    });

    it.each([
        'text/plain',
        'text/plain;charset=UTF-8',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/octet-stream',
        'application/jsonp',
        'text/json-ish',
        'garbage',
    ])('%s is refused', async (type) => {
        await expect(readJsonObject(typed('{"a":1}', type))).rejects.toEqual(failure('UNSUPPORTED_MEDIA_TYPE'));
        await expect(readJsonObject(typed(bytes(0xff), type))).rejects.toEqual(failure('UNSUPPORTED_MEDIA_TYPE'));
    });

    it('is refused before the body is read', async () => {
        const { stream, seen } = endless();
        await expect(readJsonObject(typed(stream, 'image/png'))).rejects.toEqual(failure('UNSUPPORTED_MEDIA_TYPE'));
        expect(seen).toEqual({ chunks: 1, cancelled: true });
    });

    it.each([
        ['text', 'hello'],
        ['bytes', bytes(0xff, 0xd8)],
    ])('missing, with %s that is not JSON, is 415', async (_, body) => {
        await expect(readJsonObject(typed(body, null))).rejects.toEqual(failure('UNSUPPORTED_MEDIA_TYPE'));
    });

    it('missing, with a body past the limit, is 413', async () => {
        const { stream } = endless();
        await expect(readJsonObject(typed(stream, null))).rejects.toEqual(failure('PAYLOAD_TOO_LARGE'));
    });
});

describe('JSON', () => {
    it.each([
        '{',
        '{"a":}',
        '{a:1}',
        "{'a':1}",
        '{"a":1}}',
        '{"a":NaN}',
        '{"a":1,}',
        'undefined',
        '\0',
        '[['.repeat(1e5),
    ])('refuses %.20s', async (body) => {
        await expect(readJsonObject(typed(body))).rejects.toEqual(failure('VALIDATION_FAILED'));
    });

    it.each(['null', 'true', '1', '"x"', '[]', '[{}]', `${'['.repeat(1e6)}${']'.repeat(1e6)}`])(
        'refuses %.20s, which is no object, whatever the content type',
        async (body) => {
            await expect(readJsonObject(typed(body))).rejects.toEqual(failure('VALIDATION_FAILED'));
            await expect(readJsonObject(typed(body, null))).rejects.toThrow(/JSON/);
        },
    );

    it('keeps __proto__ a key like any other', async () => {
        const body = await readJsonObject(typed('{"__proto__":{"admin":true}}'));
        expect(Object.keys(body)).toEqual(['__proto__']);
        expect((body as { admin?: boolean }).admin).toBeUndefined();
        expect(({} as { admin?: boolean }).admin).toBeUndefined();
    });
});
