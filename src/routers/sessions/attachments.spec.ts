import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { probeBucket } from '@test/helpers/bucket';
import { send } from '@test/helpers/files';
import { keepErrorLog } from '@test/helpers/log';
import { startServer } from '@test/helpers/server';

const bucket = probeBucket();
const server = startServer({ UPLOADS: bucket.binding });
const SEALED = new Uint8Array(Buffer.from('sealed by the client \0\xff'));
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

const request = (account: TestAccount, sid: string, size = 100, filename = 'screenshot.png') =>
    account.call('POST', `/v1/sessions/${sid}/attachments/request-upload`, { filename, size });
const requestDownload = (account: TestAccount, sid: string, ref: string) =>
    account.call('POST', `/v1/sessions/${sid}/attachments/request-download`, { ref });
const put = (account: TestAccount | null, url: string, body: BodyInit = SEALED, headers: Record<string, string> = {}) =>
    send(server, account, 'PUT', url, body, headers);

/** An account, a session of it, and an attachment in there. */
async function attach(bytes = SEALED) {
    const account = await createAccount(server);
    const sid = await createSession(account);
    const { ref, uploadUrl } = (await request(account, sid)).body;
    expect((await put(account, uploadUrl, bytes)).body).toEqual({ ok: true });
    return { account, sid, ref, uploadUrl };
}

describe('an attachment', () => {
    it('is asked for, sent, asked for and fetched, byte for byte', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const { status, body } = await request(account, sid);
        expect(status).toBe(200);
        expect(body.ref).toMatch(new RegExp(`^sessions/${sid}/attachments/${UUID}\\.enc$`));
        expect(body).toEqual({ ref: body.ref, uploadUrl: `https://happy.test/v1/${body.ref}`, method: 'PUT' });

        const sent = await put(account, body.uploadUrl, SEALED, { 'Content-Type': 'application/octet-stream' });
        expect([sent.status, sent.body]).toEqual([200, { ok: true }]);

        const { body: download } = await requestDownload(account, sid, body.ref);
        expect(download).toEqual({ downloadUrl: `https://happy.test/v1/${body.ref}` });
        const { bytes, headers } = await send(server, account, 'GET', download.downloadUrl);
        expect(bytes).toEqual(SEALED);
        expect(Object.fromEntries(headers)).toMatchObject({
            'content-type': 'application/octet-stream',
            'content-disposition': expect.stringMatching(/^attachment; /),
            'cache-control': 'private, no-cache, no-transform',
            'x-content-type-options': 'nosniff',
        });
    });

    it('has an address of the origin that was asked', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const path = `http://192.168.0.7:8787/v1/sessions/${sid}/attachments/request-upload`;
        const { body } = await send(server, account, 'POST', path, JSON.stringify({ filename: 'a', size: 1 }), {
            'Content-Type': 'application/json',
        });
        expect(body.uploadUrl).toBe(`http://192.168.0.7:8787/v1/${body.ref}`);
    });

    it('may be sent again, and in parts of itself fetched', async () => {
        const { account, uploadUrl } = await attach();
        expect((await put(account, uploadUrl)).status).toBe(200);
        const whole = await send(server, account, 'GET', uploadUrl);
        const etag = whole.headers.get('ETag') as string;
        const range = await send(server, account, 'GET', uploadUrl, undefined, {
            Range: 'bytes=0-5',
            'If-Range': etag,
        });
        expect([range.status, Buffer.from(range.bytes).toString()]).toEqual([206, 'sealed']);
        expect((await send(server, account, 'GET', uploadUrl, undefined, { 'If-None-Match': etag })).status).toBe(304);
        expect((await send(server, account, 'HEAD', uploadUrl)).headers.get('Content-Length')).toBe(
            String(SEALED.length),
        );
    });

    it.each(['application/octet-stream', 'text/plain;charset=UTF-8', 'image/png', 'application/json'])(
        'is bytes, whatever type a client gives it: %s',
        async (type) => {
            const { account, uploadUrl } = await attach();
            expect((await put(account, uploadUrl, SEALED, { 'Content-Type': type })).status).toBe(200);
            expect((await send(server, account, 'GET', uploadUrl)).bytes).toEqual(SEALED);
        },
    );

    it('costs one round trip for each step', async () => {
        const { account, sid, ref, uploadUrl } = await attach();
        expect(await roundTripsOf(server, () => request(account, sid))).toBe(1);
        expect(await roundTripsOf(server, () => put(account, uploadUrl))).toBe(1);
        expect(await roundTripsOf(server, () => requestDownload(account, sid, ref))).toBe(1);
        expect(await roundTripsOf(server, () => send(server, account, 'GET', uploadUrl))).toBe(1);
    });

    it('may be called anything, and its name goes nowhere', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        for (const filename of ['../../etc/passwd', '%2e%2e%2f', 'ü😀'.repeat(100), 'n'.repeat(1000), '']) {
            const { status, body } = await request(account, sid, 1, filename);
            expect(status).toBe(200);
            expect(body.ref).toMatch(new RegExp(`^sessions/${sid}/attachments/${UUID}\\.enc$`));
        }
    });
});

describe('a ref', () => {
    it('of another session is refused', async () => {
        const { account, ref } = await attach();
        const other = await createSession(account);
        const { status, body } = await requestDownload(account, other, ref);
        expect([status, body.error]).toEqual([400, 'Ref does not belong to this session']);
    });

    it.each([
        '',
        'x',
        '../x.enc',
        'x/y.enc',
        '0f0f9bb0-7d0a-4b6e-9d35-1f2f6c0d9a77',
        '0f0f9bb0-7d0a-4b6e-9d35-1f2f6c0d9a77.enc/..',
    ])('of no attachment is refused: …/attachments/%s', async (file) => {
        const { account, sid } = await attach();
        const { status, body } = await requestDownload(account, sid, `sessions/${sid}/attachments/${file}`);
        expect([status, body.error]).toEqual([400, 'Invalid attachment ref']);
    });

    it.each(['', 'attachments/a.enc', 'SESSIONS/x'])('that is none at all is refused: %j', async (ref) => {
        const { account, sid } = await attach();
        const { status, body } = await requestDownload(account, sid, ref);
        expect([status, body.error]).toEqual([400, 'Ref does not belong to this session']);
    });

    it('whose bytes were never sent is not found', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const { ref, uploadUrl } = (await request(account, sid)).body;
        for (const answer of [await requestDownload(account, sid, ref), await account.call('GET', uploadUrl)]) {
            expect([answer.status, answer.body.error]).toEqual([404, 'Attachment not found']);
        }
    });
});

describe('a name in an address', () => {
    it.each([
        '..',
        '%2e%2e',
        '..%2f..%2fsecret',
        'a.enc',
        '%00',
        'x'.repeat(1000),
        '0F0F9BB0-7D0A-4B6E-9D35-1F2F6C0D9A77.enc',
    ])('that this server did not give is not found: %s', async (name) => {
        const { account, sid } = await attach();
        for (const method of ['GET', 'PUT']) {
            const answer = await send(
                server,
                account,
                method,
                `/v1/sessions/${sid}/attachments/${name}`,
                method === 'PUT' ? 'x' : undefined,
            );
            expect(answer.status).toBe(404);
        }
        expect(await bucket.keys(`sessions/${sid}/`)).toHaveLength(1);
    });
});

describe('P8: attachments of another account', () => {
    it('are of a session that is not found', async () => {
        const { sid, ref, uploadUrl } = await attach();
        const other = await createAccount(server);
        const answers = [
            await request(other, sid),
            await requestDownload(other, sid, ref),
            await put(other, uploadUrl, 'overwritten'),
            await send(server, other, 'GET', uploadUrl),
        ];
        for (const { status, body } of answers) expect([status, body.error]).toEqual([404, 'Session not found']);
        expect((await send(server, other, 'HEAD', uploadUrl)).status).toBe(404);
        for (const method of ['GET', 'PUT']) {
            const { status, body } = await send(server, null, method, uploadUrl, method === 'PUT' ? 'x' : undefined);
            expect([status, body.error]).toEqual([401, 'Unauthorized']);
        }
    });
});

describe('the end of a session', () => {
    it('for good takes its attachments, and no others', async () => {
        const { account, sid, uploadUrl } = await attach();
        const sibling = await createSession(account);
        const kept = (await request(account, sibling)).body;
        await put(account, kept.uploadUrl);
        await account.call('DELETE', `/v1/sessions/${sid}`, undefined, { 'X-Happy-Client': 'ios/1.7' });
        expect(await bucket.keys(`sessions/${sid}/`)).toEqual([]);
        expect(await bucket.keys(`sessions/${sibling}/`)).toEqual([kept.ref]);
        expect((await send(server, account, 'GET', uploadUrl)).body.error).toBe('Session not found');
    });

    it('that only stops it keeps them', async () => {
        const { account, sid, uploadUrl } = await attach();
        await account.call('DELETE', `/v1/sessions/${sid}`);
        expect((await send(server, account, 'GET', uploadUrl)).bytes).toEqual(SEALED);
    });

    describe('while storage is away', () => {
        const logged = keepErrorLog();

        it('is not held up; the nightly sweep takes them', async () => {
            const { account, sid } = await attach();
            bucket.failNext('list', 'before');
            const { status } = await account.call('DELETE', `/v1/sessions/${sid}`, undefined, {
                'X-Happy-Client': 'ios/1.7',
            });
            expect(status).toBe(200);
            expect(logged.join()).toContain('attachments not deleted');
            expect(await bucket.keys(`sessions/${sid}/`)).toHaveLength(1);
        });
    });
});
