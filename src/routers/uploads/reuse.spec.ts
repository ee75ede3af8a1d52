import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { image, send, uploadForm, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';

const server = startServer();
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

describe('a reuse key', () => {
    it('gives back the stored file with its own facts, by either door, whatever is sent', async () => {
        const account = await createAccount(server);
        const first = await uploadRaw(server, account, utf8('first'), {
            reuseKey: 'k',
            filename: 'first.txt',
            category: 'documents',
        });
        expect(first.body.file).toMatchObject({ reuseKey: 'k', size: 5 });

        const again = await uploadRaw(server, account, image('png'), { reuseKey: 'k', filename: 'second.png' });
        const form = await uploadForm(server, account, new File(['third'], 'third.txt'), { reuseKey: 'k' });
        for (const answer of [again, form]) {
            expect(answer.status).toBe(200);
            expect(answer.body.file).toEqual(first.body.file);
        }
        const download = await send(server, account, 'GET', `/v1/uploads/${first.body.file.id}/download`);
        expect(download.bytes).toEqual(utf8('first'));
        expect((await server.env.UPLOADS.list({ prefix: `${account.id}/` })).objects).toHaveLength(1);
    });

    it('costs one round trip, known or not', async () => {
        const account = await createAccount(server);
        const upload = () => uploadRaw(server, account, utf8('a'), { reuseKey: 'k' });
        await uploadRaw(server, account, utf8('warm'));
        expect(await roundTripsOf(server, upload)).toBe(1);
        expect(await roundTripsOf(server, upload)).toBe(1);
    });

    it('belongs to its account', async () => {
        const [a, b] = [await createAccount(server), await createAccount(server)];
        const mine = await uploadRaw(server, a, utf8('mine'), { reuseKey: 'shared' });
        const theirs = await uploadRaw(server, b, utf8('theirs'), { reuseKey: 'shared' });
        expect(theirs.body.file.id).not.toBe(mine.body.file.id);
        expect(theirs.body.file.size).toBe(6);
    });

    it('is free again once its file is deleted', async () => {
        const account = await createAccount(server);
        const first = await uploadRaw(server, account, utf8('first'), { reuseKey: 'k' });
        await account.call('DELETE', `/v1/uploads/${first.body.file.id}`);
        const second = await uploadRaw(server, account, utf8('second'), { reuseKey: 'k' });
        expect(second.body.file).toMatchObject({ reuseKey: 'k', size: 6 });
    });

    it('is one file for 50 uploads at once', async () => {
        const account = await createAccount(server);
        const answers = await Promise.all(
            Array.from({ length: 50 }, (_, i) =>
                i % 2 === 0
                    ? uploadRaw(server, account, utf8(`upload ${i}`), { reuseKey: 'k' })
                    : uploadForm(server, account, new File([`upload ${i}`], 'a.txt'), { reuseKey: 'k' }),
            ),
        );
        const [first] = answers;
        for (const { status, body } of answers) {
            expect(status).toBe(200);
            expect(body.file).toEqual(first?.body.file);
        }
        expect((await account.call('GET', '/v1/uploads')).body.files).toEqual([first?.body.file]);
        const { objects } = await server.env.UPLOADS.list({ prefix: `${account.id}/` });
        expect(objects.map(({ key }) => key)).toEqual([`${account.id}/${first?.body.file.id}`]);
    });

    it('of the avatar is not for others', async () => {
        const account = await createAccount(server);
        const { status, body } = await uploadRaw(server, account, image('png'), {
            reuseKey: 'profile-avatar',
            category: 'avatars',
        });
        expect(status).toBe(400);
        expect(body.issues[0].path).toBe('reuseKey');
    });
});
