import { describe, expect, it } from 'vitest';
import { readForm } from '@/http/multipart';
import { chunksOf } from '@/storage/content';

const BOUNDARY = '----WebKitFormBoundaryAbC123';

interface Part {
    header: string;
    body: string;
}

const disposition = (rest: string) => `Content-Disposition: form-data; ${rest}`;
const FILE = { header: `${disposition('name="file"; filename="a.txt"')}\r\nContent-Type: text/plain`, body: 'hello' };
const FIELD = { header: disposition('name="category"'), body: 'documents' };

/** A body as browsers write it. */
function encode(
    parts: Part[],
    { boundary = BOUNDARY, preamble = '', epilogue = '\r\n' } = {},
): Uint8Array<ArrayBuffer> {
    const written = parts.map(({ header, body }) => `--${boundary}\r\n${header}\r\n\r\n${body}\r\n`);
    return new Uint8Array(Buffer.from(`${preamble}${written.join('')}--${boundary}--${epilogue}`));
}

/** A request whose body comes in pieces of `size` bytes. */
function request(
    bytes: Uint8Array<ArrayBuffer>,
    size = bytes.length,
    contentType = `multipart/form-data; boundary=${BOUNDARY}`,
) {
    const { readable, writable } = new IdentityTransformStream();
    void (async () => {
        const writer = writable.getWriter();
        for (let at = 0; at < bytes.length; at += size) await writer.write(bytes.slice(at, at + size)).catch(() => {});
        await writer.close().catch(() => {});
    })();
    return new Request('https://happy.test/', {
        method: 'POST',
        body: readable,
        headers: { 'Content-Type': contentType },
    });
}

async function read(source: Request) {
    const parts: { name: string; filename: string | null; contentType: string | null; body: string }[] = [];
    for await (const { chunks, ...part } of readForm(source)) {
        let body = Buffer.alloc(0);
        for await (const chunk of chunks) body = Buffer.concat([body, chunk]);
        parts.push({ ...part, body: body.toString('utf8') });
    }
    return parts;
}

const failed = (message: string) => expect.objectContaining({ reason: 'VALIDATION_FAILED', message }) as Error;

describe('a form', () => {
    // Bodies that hold what almost is a delimiter, empty ones, and names of every kind.
    const parts = [
        FIELD,
        { header: FILE.header, body: `\r\n--${BOUNDARY.slice(0, -1)}\r\n\r\r\n-\r\n--\r\n` },
        { header: disposition('name="file"; filename="日本 %22x%22.txt"'), body: 'ü'.repeat(50) },
        { header: disposition('name="empty"; filename=""'), body: '' },
        { header: disposition('name=plain'), body: '\r\n' },
    ];
    const expected = [
        { name: 'category', filename: null, contentType: null, body: 'documents' },
        { name: 'file', filename: 'a.txt', contentType: 'text/plain', body: parts[1]?.body },
        { name: 'file', filename: '日本 "x".txt', contentType: null, body: parts[2]?.body },
        { name: 'empty', filename: '', contentType: null, body: '' },
        { name: 'plain', filename: null, contentType: null, body: '\r\n' },
    ];

    it('is read the same wherever the network cuts it', async () => {
        const bytes = encode(parts, { preamble: 'ignored\r\n', epilogue: '\r\nignored too' });
        for (let size = 1; size <= bytes.length; size++) expect(await read(request(bytes, size))).toEqual(expected);
    });

    it('is read as the runtime itself writes it', async () => {
        const data = new FormData();
        data.append('file', new File(['abc'], 'a "quoted" ü.md', { type: 'text/markdown' }));
        data.append('reuseKey', 'k');
        expect(await read(new Request('https://happy.test/', { method: 'POST', body: data }))).toEqual([
            { name: 'file', filename: 'a "quoted" ü.md', contentType: 'text/markdown', body: 'abc' },
            { name: 'reuseKey', filename: null, contentType: null, body: 'k' },
        ]);
    });

    it('keeps every byte of a large file in odd pieces', async () => {
        const body = Array.from({ length: 30_000 }, (_, i) => `${i}\r\n--`).join('');
        const bytes = encode([{ header: FILE.header, body }, FIELD]);
        const [file, field] = await read(request(bytes, 65_537));
        expect(file?.body === body).toBe(true);
        expect(field?.body).toBe('documents');
    });

    it('passes over what nobody reads', async () => {
        const names: string[] = [];
        for await (const part of readForm(request(encode([FILE, FIELD, FILE]), 7))) {
            names.push(part.name);
            if (names.length === 1) for await (const _ of part.chunks) break;
        }
        expect(names).toEqual(['file', 'category', 'file']);
    });

    it('leaves the rest of the body readable to who stops early', async () => {
        const source = request(encode([FILE, { ...FILE, body: 'x'.repeat(100_000) }]), 1000);
        for await (const _ of readForm(source)) break;
        let rest = 0;
        for await (const chunk of chunksOf(source.body as ReadableStream<Uint8Array>)) rest += chunk.length;
        expect(rest).toBeGreaterThan(99_000);
    });

    it('may have a quoted boundary, and header names in any case', async () => {
        const bytes = encode([{ header: 'CONTENT-DISPOSITION: form-data; name="x"', body: '1' }], { boundary: 'a b' });
        const contentType = 'multipart/form-data; charset=utf-8; boundary="a b"';
        expect(await read(request(bytes, 3, contentType))).toEqual([
            { name: 'x', filename: null, contentType: null, body: '1' },
        ]);
    });

    it('without parts has none', async () => {
        expect(await read(request(encode([])))).toEqual([]);
    });
});

describe('what is no form', () => {
    it('is refused wherever it breaks off', async () => {
        const bytes = encode([FILE, FIELD], { epilogue: '' });
        for (let length = 0; length < bytes.length; length++) {
            await expect(read(request(bytes.slice(0, length)))).rejects.toThrow(failed('The form breaks off'));
        }
    });

    it.each([null, 'text/plain; boundary=x', 'multipart/mixed; boundary=x'])('415: %s', async (contentType) => {
        const headers: Record<string, string> = contentType === null ? {} : { 'Content-Type': contentType };
        const source = new Request('https://happy.test/', { method: 'POST', body: encode([FILE]), headers });
        await expect(read(source)).rejects.toMatchObject({ reason: 'UNSUPPORTED_MEDIA_TYPE' });
    });

    it.each([
        'multipart/form-data',
        'multipart/form-data; boundary=',
        `multipart/form-data; boundary=${'x'.repeat(71)}`,
    ])('400: %s', async (contentType) => {
        await expect(read(request(encode([FILE]), 1000, contentType))).rejects.toThrow(
            failed('The form has no boundary'),
        );
    });

    it('is refused with more parts than an upload has', async () => {
        expect(await read(request(encode(Array.from({ length: 20 }, () => FIELD))))).toHaveLength(20);
        const many = request(encode(Array.from({ length: 21 }, () => FIELD)));
        await expect(read(many)).rejects.toThrow(failed('The form has too many parts'));
    });

    it('is refused with a header that does not end', async () => {
        const endless = request(encode([{ header: `X: ${'x'.repeat(20_000)}`, body: '' }]), 1000);
        await expect(read(endless)).rejects.toThrow(failed('A part of the form has too long a header'));
    });
});
