import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { image, send, uploadForm, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';

const server = startServer();

describe('P8: another account', () => {
    it('sees no file, and cannot tell one from none', async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const { file } = (await uploadRaw(server, owner, image('png'), { reuseKey: 'k' })).body;
        await uploadForm(server, owner, new File([image('png')], 'me.png'), {}, '/v1/uploads/avatar');

        for (const [method, path] of [
            ['GET', '/v1/uploads/:id'],
            ['DELETE', '/v1/uploads/:id'],
            ['GET', '/v1/uploads/:id/download'],
        ] as const) {
            const answers = await Promise.all(
                [file.id, 'cmxxxxxxxxxxxxxxxxxxxxxxx'].map((id) => other.call(method, path.replace(':id', id))),
            );
            const [theirs, none] = answers.map(told);
            expect(theirs).toEqual({ status: 404, body: { error: 'File not found', code: 'NOT_FOUND' } });
            expect(theirs).toEqual(none);
        }
        const head = await send(server, other, 'HEAD', `/v1/uploads/${file.id}/download`);
        expect(head.status).toBe(404);
        const conditional = await send(server, other, 'GET', `/v1/uploads/${file.id}/download`, undefined, {
            'If-None-Match': `"${file.id}"`,
        });
        expect(conditional.status).toBe(404);
        expect(conditional.headers.get('ETag')).toBeNull();

        expect((await other.call('GET', '/v1/uploads')).body).toEqual({ files: [], nextCursor: null, hasNext: false });
        const cursor = `cursor_v1_${file.createdAt + 1}-${file.id}`;
        expect((await other.call('GET', `/v1/uploads?cursor=${cursor}`)).body.files).toEqual([]);

        // Nothing of this changed anything.
        const download = await send(server, owner, 'GET', `/v1/uploads/${file.id}/download`);
        expect(download.bytes).toEqual(image('png'));
        expect((await owner.call('GET', '/v1/uploads')).body.files).toHaveLength(2);
    });

    it('replaces its own avatar only', async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const set = (account: typeof owner) =>
            uploadForm(server, account, new File([image('gif')], 'me.gif'), {}, '/v1/uploads/avatar');
        const mine = (await set(owner)).body.avatar;
        await set(other);
        await set(other);
        expect((await owner.call('GET', '/v1/account')).body.avatar.id).toBe(mine.id);
        expect((await send(server, null, 'GET', mine.url)).bytes).toEqual(image('gif'));
    });
});
