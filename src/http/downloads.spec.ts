import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { probeBucket } from '@test/helpers/bucket';
import { image, send, uploadRaw } from '@test/helpers/files';
import { keepErrorLog } from '@test/helpers/log';
import { startServer } from '@test/helpers/server';

const bucket = probeBucket();
const server = startServer({ UPLOADS: bucket.binding });
const BYTES = new Uint8Array(Buffer.from('0123456789'.repeat(100)));

/** A stored file of 1000 bytes; asks for it with headers. */
async function storeFile(bytes = BYTES, query: Record<string, string> = {}) {
    const account = await createAccount(server);
    const { file } = (await uploadRaw(server, account, bytes, query)).body;
    return { file, get: get(account, file.id), head: get(account, file.id, 'HEAD') };
}

function get(account: TestAccount, id: string, method = 'GET') {
    return (headers: Record<string, string> = {}) =>
        send(server, account, method, `/v1/uploads/${id}/download`, undefined, headers);
}

const describeRange = ({ status, headers, bytes }: Awaited<ReturnType<typeof send>>) => ({
    status,
    range: headers.get('Content-Range'),
    text: Buffer.from(bytes).toString(),
});

describe('a whole file', () => {
    it('comes with what caches and browsers need to know', async () => {
        const { file, get: download } = await storeFile(BYTES, { filename: 'digits.txt' });
        const { status, headers, bytes } = await download();
        expect(status).toBe(200);
        expect(bytes).toEqual(BYTES);
        expect(Object.fromEntries(headers)).toMatchObject({
            'content-type': 'text/plain; charset=utf-8',
            'content-disposition': 'attachment; filename=digits.txt',
            'cache-control': 'private, no-cache, no-transform',
            'accept-ranges': 'bytes',
            etag: `"${file.id}"`,
            'x-content-type-options': 'nosniff',
            'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
        });
    });

    it('has its name in Unicode', async () => {
        const { get: download } = await storeFile(BYTES, { filename: 'Prüfung 日本.txt' });
        expect((await download()).headers.get('Content-Disposition')).toBe(
            `attachment; filename="Pr?fung ??.txt"; filename*=UTF-8''Pr%C3%BCfung%20%E6%97%A5%E6%9C%AC.txt`,
        );
    });

    it.each([
        ['png', image('png'), 'inline'],
        ['jpeg', image('jpeg'), 'inline'],
        ['gif', image('gif'), 'inline'],
        ['webp', image('webp'), 'inline'],
        ['pdf', new Uint8Array(Buffer.from('%PDF-1.7')), 'attachment'],
        ['markdown', new Uint8Array(Buffer.from('# <script>alert(1)</script>')), 'attachment'],
    ])('of type %s is shown or saved', async (_, bytes, disposition) => {
        const { get: download } = await storeFile(bytes);
        expect((await download()).headers.get('Content-Disposition')?.split(';')[0]).toBe(disposition);
    });

    it('costs one round trip and one call to the bucket', async () => {
        const { get: download } = await storeFile();
        bucket.calls.length = 0;
        expect(await roundTripsOf(server, () => download())).toBe(1);
        expect(bucket.calls).toEqual(['get']);
    });
});

describe('HEAD', () => {
    it('says the same and sends no bytes, without a call to the bucket', async () => {
        const { get: download, head } = await storeFile();
        const whole = Object.fromEntries((await download()).headers);
        bucket.calls.length = 0;
        const { status, headers, bytes } = await head({ Range: 'bytes=0-4' });
        expect([status, bytes.length, headers.get('Content-Length')]).toEqual([200, 0, '1000']);
        expect(bucket.calls).toEqual([]);
        for (const name of ['etag', 'content-type', 'content-disposition', 'cache-control', 'accept-ranges']) {
            expect(headers.get(name)).toBe(whole[name]);
        }
    });
});

describe('Range', () => {
    it.each([
        ['bytes=0-9', 'bytes 0-9/1000', '0123456789'],
        ['bytes=995-', 'bytes 995-999/1000', '56789'],
        ['bytes=-3', 'bytes 997-999/1000', '789'],
        ['bytes=998-5000', 'bytes 998-999/1000', '89'],
    ])('%s', async (range, contentRange, text) => {
        const { get: download } = await storeFile();
        expect(describeRange(await download({ Range: range }))).toEqual({ status: 206, range: contentRange, text });
    });

    it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('%s cannot be satisfied', async (range) => {
        const { get: download } = await storeFile();
        const { status, headers, body } = await download({ Range: range });
        expect([status, headers.get('Content-Range'), body.error]).toEqual([
            416,
            'bytes */1000',
            'Range not satisfiable',
        ]);
        expect(body.issues).toEqual([{ path: '', message: 'Range not satisfiable' }]);
        expect(headers.get('ETag')).toBeNull();
        expect(headers.get('Content-Disposition')).toBeNull();
    });

    it.each(['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2'])('%s is passed over', async (range) => {
        const { get: download } = await storeFile();
        expect((await download({ Range: range })).status).toBe(200);
    });

    it('of an empty file cannot be satisfied', async () => {
        const { get: download } = await storeFile(new Uint8Array(0));
        expect((await download()).bytes).toEqual(new Uint8Array(0));
        expect((await download({ Range: 'bytes=0-' })).status).toBe(416);
    });
});

describe('conditions', () => {
    it('If-None-Match: who has the file is told so, without a call to the bucket', async () => {
        const { file, get: download } = await storeFile();
        bucket.calls.length = 0;
        for (const tag of [`"${file.id}"`, `W/"${file.id}"`, `"other", "${file.id}"`, '*']) {
            const { status, headers, bytes } = await download({ 'If-None-Match': tag, Range: 'bytes=0-1' });
            expect([status, bytes.length, headers.get('ETag')]).toEqual([304, 0, `"${file.id}"`]);
            expect(headers.get('Cache-Control')).toBe('private, no-cache, no-transform');
        }
        expect(bucket.calls).toEqual([]);
        expect((await download({ 'If-None-Match': '"other"' })).status).toBe(200);
    });

    it('If-Range: the range of this file, else the whole', async () => {
        const { file, get: download } = await storeFile();
        const ask = async (condition: string) => (await download({ Range: 'bytes=0-9', 'If-Range': condition })).status;
        expect(await ask(`"${file.id}"`)).toBe(206);
        for (const other of ['"other"', `W/"${file.id}"`, 'Wed, 21 Oct 2026 07:28:00 GMT'])
            expect(await ask(other)).toBe(200);
    });
});

describe('a file whose bytes are gone', () => {
    it('is not found, and the answer carries nothing of the file', async () => {
        const { file, get: download } = await storeFile();
        const { objects } = await server.env.UPLOADS.list({});
        const key = objects.map((object) => object.key).find((candidate) => candidate.endsWith(file.id)) as string;
        await server.env.UPLOADS.delete([key]);
        const { status, body, headers } = await download();
        expect([status, body.error]).toEqual([404, 'File not found']);
        for (const name of ['ETag', 'Content-Disposition', 'Accept-Ranges']) expect(headers.get(name)).toBeNull();
    });

    const logged = keepErrorLog();

    it('is not to be had while storage is away', async () => {
        const { get: download } = await storeFile();
        bucket.failNext('get', 'before');
        const { status, body } = await download();
        expect([status, body.code, body.error]).toEqual([503, 'SERVICE_UNAVAILABLE', 'Storage unavailable, try again']);
        expect(logged.join()).toContain('get: internal error');
    });
});
