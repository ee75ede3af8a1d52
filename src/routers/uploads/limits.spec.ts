import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { image, send, uploadForm, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';

const server = startServer();
const MIB = 1024 * 1024;

/** A PNG as far as its header goes, then zeros. */
function picture(size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    bytes.set(image('png').subarray(0, 100));
    return bytes;
}

/** A body of unknown length that is made while it is sent; tells how much of it was taken. */
function endless(first: Uint8Array) {
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>(
        {
            pull(controller) {
                const chunk = sent === 0 ? first : new Uint8Array(64 * 1024).fill(0x20);
                sent += chunk.length;
                controller.enqueue(chunk);
                if (sent > 120_000_000) controller.close();
            },
        },
        { highWaterMark: 0 },
    );
    return { stream, sent: () => sent };
}

describe('avatars end at 5 MiB', () => {
    it('by form', async () => {
        const account = await createAccount(server);
        const upload = (size: number) =>
            uploadForm(server, account, new File([picture(size)], 'a.png'), { category: 'avatars' });
        expect((await upload(5 * MIB)).status).toBe(200);
        const { status, body } = await upload(5 * MIB + 1);
        expect([status, body.error, body.code]).toEqual([413, 'File too large (max 5MB)', 'PAYLOAD_TOO_LARGE']);
    });

    it('by form, also where the category comes last', async () => {
        const account = await createAccount(server);
        const data = new FormData();
        data.append('file', new File([picture(5 * MIB + 1)], 'a.png'));
        data.append('category', 'avatars');
        expect((await send(server, account, 'POST', '/v1/uploads', data)).status).toBe(413);
        expect((await server.env.UPLOADS.list({ prefix: `${account.id}/` })).objects).toEqual([]);
    });

    it('as the avatar itself', async () => {
        const account = await createAccount(server);
        const file = new File([picture(5 * MIB + 1)], 'a.png');
        expect((await uploadForm(server, account, file, {}, '/v1/uploads/avatar')).status).toBe(413);
    });

    it('by the raw door, declared or not', async () => {
        const account = await createAccount(server);
        const query = { category: 'avatars' };
        expect((await uploadRaw(server, account, picture(5 * MIB), query)).status).toBe(200);
        expect((await uploadRaw(server, account, picture(5 * MIB + 1), query)).status).toBe(413);
        const { stream } = endless(picture(1000));
        expect((await send(server, account, 'PUT', '/v1/uploads/raw?category=avatars', stream)).status).toBe(413);
    });
});

describe('documents end at 50 MiB and files at 100,000,000 bytes', () => {
    it.each([
        ['documents', 50 * MIB, '50MB'],
        ['files', 100_000_000, '100MB'],
    ])('%s', async (category, limit, text) => {
        const account = await createAccount(server);
        const path = `/v1/uploads/raw?category=${category}`;
        // A declared length decides alone: nothing of the body is looked at.
        const { status, body } = await send(server, account, 'PUT', path, 'text', {
            'Content-Length': String(limit + 1),
        });
        expect([status, body.error]).toEqual([413, `File too large (max ${text})`]);

        const { stream } = endless(new Uint8Array([0x41]));
        expect((await send(server, account, 'PUT', path, stream)).status).toBe(413);
        expect((await server.env.UPLOADS.list({ prefix: `${account.id}/` })).objects).toEqual([]);
    });
});

describe('what is refused by its type', () => {
    it('is refused at its first bytes, before anything is stored', async () => {
        const account = await createAccount(server);
        const { stream } = endless(new Uint8Array([0x50, 0x4b, 0x03, 0x04]));
        expect((await send(server, account, 'PUT', '/v1/uploads/raw', stream)).status).toBe(400);
        expect((await server.env.UPLOADS.list({ prefix: `${account.id}/` })).objects).toEqual([]);
    });
});
