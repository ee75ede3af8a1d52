import { beforeEach, describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { send } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';

const server = startServer();
const LIMIT = 10 * 1024 * 1024;
const TOO_LARGE = { error: 'File too large (max 10MB)', code: 'PAYLOAD_TOO_LARGE', requestId: expect.any(String) };

async function createAttachment() {
    const account = await createAccount(server);
    const sid = await createSession(account);
    const request = (size: number) =>
        account.call('POST', `/v1/sessions/${sid}/attachments/request-upload`, { filename: 'a', size });
    const { uploadUrl } = (await request(1)).body;
    const put = (body: BodyInit, headers: Record<string, string> = {}) =>
        send(server, account, 'PUT', uploadUrl, body, headers);
    return { account, sid, uploadUrl, request, put };
}

describe('an attachment ends at 10 MiB', () => {
    it('by the size it is announced with', async () => {
        const { request } = await createAttachment();
        expect((await request(LIMIT)).status).toBe(200);
        const { status, body } = await request(LIMIT + 1);
        expect([status, body]).toEqual([413, TOO_LARGE]);
        for (const size of [-1, 1.5]) expect((await request(size)).status).toBe(400);
    });

    it('by the length it is sent with', async () => {
        const { put } = await createAttachment();
        const { status, body } = await put('x', { 'Content-Length': String(LIMIT + 1) });
        expect([status, body]).toEqual([413, TOO_LARGE]);
    });

    it('by its bytes, where their number is not said', async () => {
        const { account, uploadUrl, put } = await createAttachment();
        expect((await put(new Uint8Array(LIMIT))).status).toBe(200);
        const { status, body } = await put(new Uint8Array(LIMIT + 1).fill(1));
        expect([status, body]).toEqual([413, TOO_LARGE]);
        // What was there stays.
        const { bytes } = await send(server, account, 'GET', uploadUrl);
        expect([bytes.length, bytes[0]]).toEqual([LIMIT, 0]);
    });
});

describe('an account has 60 attachments a minute', () => {
    // The limiter of local Workers counts whole minutes of the clock: a test must not run across two of them.
    beforeEach(async () => {
        const left = 60_000 - (Date.now() % 60_000);
        if (left < 25_000) await new Promise((resolve) => setTimeout(resolve, left));
    });

    it('to ask for, in all its sessions together', async () => {
        const { account } = await createAttachment();
        const sids = [await createSession(account), await createSession(account)];
        const ask = (i: number) =>
            account.call('POST', `/v1/sessions/${sids[i % 2]}/attachments/request-upload`, { filename: 'a', size: 1 });
        // One was asked for already.
        const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(i)));
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(59);
        const refused = answers.find(({ status }) => status === 429);
        expect(refused?.body).toMatchObject({ code: 'RATE_LIMITED' });
        expect(refused?.headers.get('Retry-After')).toBe('60');

        // Others are not held up.
        expect((await (await createAttachment()).request(1)).status).toBe(200);
    });

    it('and as many to send', async () => {
        const { put } = await createAttachment();
        const answers = await Promise.all(Array.from({ length: 61 }, () => put('x')));
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(60);
        expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
    });
});
