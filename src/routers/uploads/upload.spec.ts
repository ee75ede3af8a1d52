import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { form, image, send, uploadForm, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';

const server = startServer();
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

describe('an upload by either door', () => {
    const doors = [
        [
            'form',
            (account, bytes, name, type, category) =>
                uploadForm(server, account, new File([bytes], name, { type }), { category }),
        ],
        [
            'raw',
            (account, bytes, name, type, category) =>
                uploadRaw(server, account, bytes, { filename: name, category }, { 'Content-Type': type }),
        ],
    ] as [
        string,
        (
            account: Awaited<ReturnType<typeof createAccount>>,
            bytes: Uint8Array<ArrayBuffer>,
            name: string,
            type: string,
            category: string,
        ) => ReturnType<typeof send>,
    ][];

    it.each(doors)('%s: answers with the facts, and the bytes come back the same', async (_, upload) => {
        const account = await createAccount(server);
        const { status, body } = await upload(account, image('jpeg'), 'Foto.jpg', 'image/jpeg', 'avatars');
        expect(status).toBe(200);
        const { id } = body.file;
        expect(body).toEqual({
            success: true,
            file: {
                id: expect.stringMatching(/^c[0-9a-z]{24}$/),
                path: `avatars/${account.id}/${id}.jpg`,
                category: 'avatars',
                originalName: 'Foto.jpg',
                contentType: 'image/jpeg',
                size: image('jpeg').length,
                width: 40,
                height: 24,
                thumbhash: null,
                reuseKey: null,
                createdAt: expect.any(Number),
                updatedAt: body.file.createdAt,
            },
        });
        const download = await send(server, account, 'GET', `/v1/uploads/${id}/download`);
        expect(download.bytes).toEqual(image('jpeg'));

        const { body: facts } = await account.call('GET', `/v1/uploads/${id}`);
        // The thumbhash was made meanwhile.
        expect(facts.file).toEqual({ ...body.file, thumbhash: expect.stringMatching(/^[A-Za-z0-9+/]{20,}=*$/) });
    });

    it.each(doors)('%s: costs one round trip', async (_, upload) => {
        const account = await createAccount(server);
        await upload(account, utf8('warm'), 'a.txt', 'text/plain', 'files');
        expect(await roundTripsOf(server, () => upload(account, utf8('text'), 'a.txt', 'text/plain', 'files'))).toBe(1);
    });
});

describe('categories', () => {
    const all = {
        png: image('png'),
        jpeg: image('jpeg'),
        gif: image('gif'),
        webp: image('webp'),
        text: utf8('text'),
        pdf: utf8('%PDF-1.4'),
    };

    it.each([
        ['avatars', ['png', 'jpeg', 'gif', 'webp']],
        ['documents', ['text', 'pdf']],
        ['files', ['png', 'jpeg', 'gif', 'webp', 'text', 'pdf']],
    ] as const)('%s take %j', async (category, allowed) => {
        const account = await createAccount(server);
        for (const [name, bytes] of Object.entries(all)) {
            const { status, body } = await uploadRaw(server, account, bytes, { category });
            expect([name, status]).toEqual([name, (allowed as readonly string[]).includes(name) ? 200 : 400]);
            if (status === 400)
                expect(body).toMatchObject({ error: 'File type not allowed', code: 'VALIDATION_FAILED' });
        }
    });

    it('are files unless said, and null or empty is not said', async () => {
        const account = await createAccount(server);
        expect((await uploadRaw(server, account, all.png)).body.file.category).toBe('files');
        expect((await uploadForm(server, account, new File([all.png], 'a'), { category: '' })).body.file.category).toBe(
            'files',
        );
    });

    it.each(['../avatars', 'Avatars', 'avatars/', '%2e%2e', 'avatars\0', 'constructor'])(
        'are three words: %j is none',
        async (category) => {
            const account = await createAccount(server);
            const raw = await uploadRaw(server, account, all.png, { category });
            const posted = await uploadForm(server, account, new File([all.png], 'a.png'), { category });
            for (const answer of [raw, posted]) {
                expect(answer.status).toBe(400);
                expect(answer.body.issues).toEqual([{ path: 'category', message: expect.any(String) }]);
            }
            expect((await account.call('GET', '/v1/uploads')).body.files).toEqual([]);
        },
    );

    it('hold before and after the file in a form', async () => {
        const account = await createAccount(server);
        const file = new File([all.png], 'a.png');
        for (const parts of [
            { category: 'documents', file },
            { file, category: 'documents' },
        ]) {
            const { status } = await send(server, account, 'POST', '/v1/uploads', form(parts));
            expect(status).toBe(400);
        }
        const { objects } = await server.env.UPLOADS.list({ prefix: `${account.id}/` });
        expect(objects).toEqual([]);
    });
});

describe('a form', () => {
    it.each([
        ['without a file', { category: 'files' }],
        ['with an empty file input', { file: new File([], '') }],
        ['with two files', { file: new File(['a'], 'a.txt'), more: '' }],
    ])('%s is refused', async (name, parts) => {
        const account = await createAccount(server);
        const data = form(parts);
        if (name === 'with two files') data.append('file', new File(['b'], 'b.txt'));
        const { status, body } = await send(server, account, 'POST', '/v1/uploads', data);
        expect(status).toBe(400);
        expect(body.issues).toEqual([{ path: 'file', message: expect.any(String) }]);
        expect((await server.env.UPLOADS.list({ prefix: `${account.id}/` })).objects).toEqual([]);
    });

    const doors = ['/v1/uploads', '/v1/uploads/avatar'];

    it.each([
        ['text/plain', 'x'],
        ['application/octet-stream', 'x'],
    ])('is no %s', async (type, sent) => {
        const account = await createAccount(server);
        for (const path of doors) {
            const { status, body } = await send(server, account, 'POST', path, sent, { 'Content-Type': type });
            expect([status, body.error]).toEqual([415, 'Body must be multipart/form-data']);
        }
    });

    it.each<[string, string | undefined, Record<string, string>]>([
        ['no body', undefined, {}],
        ['no body, though a content type', undefined, { 'Content-Type': 'text/plain' }],
        ['an empty body', '', { 'Content-Type': 'application/octet-stream' }],
        ['an empty object', '{}', { 'Content-Type': 'application/json' }],
        ['an object without a file', '{"category":"files"}', { 'Content-Type': 'application/json; charset=utf-8' }],
    ])('is missed in %s', async (_, sent, headers) => {
        const account = await createAccount(server);
        for (const path of doors) {
            const { status, body } = await send(server, account, 'POST', path, sent, headers);
            expect(status).toBe(400);
            expect(body).toMatchObject({
                code: 'VALIDATION_FAILED',
                issues: [{ path: 'file', message: 'Required' }],
            });
        }
    });

    it('does not go through the raw door', async () => {
        const account = await createAccount(server);
        const { status } = await send(
            server,
            account,
            'PUT',
            '/v1/uploads/raw',
            form({ file: new File(['a'], 'a.txt') }),
        );
        expect(status).toBe(415);
    });

    it('has fields of bounded length', async () => {
        const account = await createAccount(server);
        for (const reuseKey of ['k'.repeat(256), 'k'.repeat(2_000_000)]) {
            const { status, body } = await uploadForm(server, account, new File(['a'], 'a.txt'), { reuseKey });
            expect(status).toBe(400);
            expect(body.issues[0].path).toBe('reuseKey');
        }
    });
});

describe('a damaged image', () => {
    it.each([
        ['png', 17],
        ['jpeg', 20],
        ['gif', 8],
        ['webp', 17],
    ] as const)('%s cut in its header is no avatar, and a file of unknown width and height', async (type, length) => {
        const account = await createAccount(server);
        const cut = image(type).slice(0, length);
        const file = new File([cut], 'a');
        const refused = [
            await uploadRaw(server, account, cut, { category: 'avatars' }),
            await send(server, account, 'POST', '/v1/uploads', form({ file, category: 'avatars' })),
            await uploadForm(server, account, file, {}, '/v1/uploads/avatar'),
        ];
        for (const { status, body } of refused) expect([status, body.error]).toEqual([400, 'The image is cut short']);
        expect((await server.env.UPLOADS.list({ prefix: `${account.id}/` })).objects).toEqual([]);

        const kept = await uploadRaw(server, account, cut);
        expect(kept.body.file).toMatchObject({ contentType: `image/${type}`, width: null, height: null });
    });

    it.each(['png', 'jpeg'] as const)('%s cut in its pixels keeps its size and gets no thumbhash', async (type) => {
        const account = await createAccount(server);
        const { status, body } = await uploadRaw(server, account, image(type).slice(0, type === 'jpeg' ? 200 : 60));
        expect(status).toBe(200);
        const { file } = (await account.call('GET', `/v1/uploads/${body.file.id}`)).body;
        expect(file).toMatchObject({ width: 40, height: 24 });
        if (type === 'png') expect(file.thumbhash).toBeNull();
    });

    it('that is something else from its first byte on is refused', async () => {
        const account = await createAccount(server);
        const polyglot = utf8('<svg xmlns="http://www.w3.org/2000/svg"/><!-- \x89PNG -->');
        expect((await uploadRaw(server, account, polyglot, {}, { 'Content-Type': 'image/png' })).status).toBe(400);
    });
});

describe('everybody else', () => {
    it.each(['/v1/uploads', '/v1/uploads/avatar'])('cannot post to %s', async (path) => {
        const { status, body } = await send(server, null, 'POST', path, form({ file: new File(['a'], 'a.txt') }));
        expect([status, body.error]).toEqual([401, 'Unauthorized']);
    });

    it('cannot put a raw file', async () => {
        expect((await send(server, null, 'PUT', '/v1/uploads/raw', 'a')).status).toBe(401);
    });
});
