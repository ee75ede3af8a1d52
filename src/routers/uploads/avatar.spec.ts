import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { image, send, uploadForm, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

const setAvatar = (account: TestAccount, type: 'png' | 'jpeg' | 'gif' | 'webp' = 'png') =>
    uploadForm(server, account, new File([image(type)], `me.${type}`), {}, '/v1/uploads/avatar');

const objectsOf = async (account: TestAccount) =>
    (await server.env.UPLOADS.list({ prefix: `${account.id}/` })).objects.map(({ key }) => key);

describe('an avatar', () => {
    it('is answered, shown in the profile and told to other devices', async () => {
        const account = await createAccount(server);
        const { status, body } = await setAvatar(account, 'jpeg');
        expect(status).toBe(200);
        const { id } = body.avatar;
        const shown = {
            id,
            path: `avatars/${account.id}/${id}.jpg`,
            url: expect.stringMatching(new RegExp(`^https://happy\\.test/v1/avatars/${id}\\?sig=[\\w-]{43}$`)),
            width: 40,
            height: 24,
            thumbhash: null,
        };
        expect(body).toEqual({
            success: true,
            avatar: { ...shown, contentType: 'image/jpeg', size: image('jpeg').length },
        });

        const updates = await updatesOf(server, account);
        const { avatar } = (await account.call('GET', '/v1/account')).body;
        expect(avatar).toEqual({
            ...shown,
            url: body.avatar.url,
            thumbhash: expect.stringMatching(/^[A-Za-z0-9+/]{20,}=*$/),
        });
        // The thumbhash is made after the answer, and told when it is there.
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            { seq: 1, body: { t: 'update-account', id: account.id, avatar: shown }, to: {} },
            { seq: 2, body: { t: 'update-account', id: account.id, avatar }, to: {} },
        ]);
    });

    it('among other files tells nobody anything', async () => {
        const account = await createAccount(server);
        const { body } = await uploadRaw(server, account, image('png'), { category: 'avatars' });
        expect((await account.call('GET', `/v1/uploads/${body.file.id}`)).body.file.thumbhash).not.toBeNull();
        expect(await updatesOf(server, account)).toEqual([]);
        expect(await seqOf(server, account)).toBe(0);
    });

    it('takes the four raster images and nothing else', async () => {
        const account = await createAccount(server);
        for (const type of ['png', 'jpeg', 'gif', 'webp'] as const)
            expect((await setAvatar(account, type)).status).toBe(200);
        for (const text of ['text', '%PDF-1.4', '<svg xmlns="http://www.w3.org/2000/svg"/>']) {
            const { status } = await uploadForm(server, account, new File([text], 'a'), {}, '/v1/uploads/avatar');
            expect(status).toBe(400);
        }
        expect((await account.call('GET', '/v1/account')).body.avatar.path).toMatch(/\.webp$/);
    });

    it('costs one round trip', async () => {
        const account = await createAccount(server);
        await setAvatar(account, 'gif');
        // A GIF gets no thumbhash, which would be written later.
        expect(await roundTripsOf(server, () => setAvatar(account, 'gif'))).toBe(1);
    });
});

describe('the next avatar', () => {
    it('takes the place of the one before, whose bytes and address are gone then', async () => {
        const account = await createAccount(server);
        const old = (await setAvatar(account, 'png')).body.avatar;
        const next = (await setAvatar(account, 'gif')).body.avatar;
        expect((await account.call('GET', '/v1/account')).body.avatar).toMatchObject({ id: next.id, url: next.url });
        expect((await account.call('GET', '/v1/uploads')).body.files.map((file: { id: string }) => file.id)).toEqual([
            next.id,
        ]);
        expect(await objectsOf(account)).toEqual([`${account.id}/${next.id}`]);
        expect((await send(server, null, 'GET', old.url)).status).toBe(404);
        expect((await send(server, null, 'GET', next.url)).bytes).toEqual(image('gif'));
    });

    it('leaves the one before alone when it is refused or its bytes break off', async () => {
        const account = await createAccount(server);
        const old = (await setAvatar(account, 'png')).body.avatar;
        await uploadForm(server, account, new File(['text'], 'a.png'), {}, '/v1/uploads/avatar');
        const broken = `--x\r\nContent-Disposition: form-data; name="file"; filename="a.gif"\r\n\r\n`;
        const body = new Uint8Array(Buffer.concat([Buffer.from(broken), image('gif')]));
        const headers = { 'Content-Type': 'multipart/form-data; boundary=x' };
        expect((await send(server, account, 'POST', '/v1/uploads/avatar', body, headers)).status).toBe(400);
        expect((await account.call('GET', '/v1/account')).body.avatar.id).toBe(old.id);
        expect((await send(server, null, 'GET', old.url)).bytes).toEqual(image('png'));
        expect(await objectsOf(account)).toEqual([`${account.id}/${old.id}`]);
    });

    it('of 20 at once, one stays, and devices hear of each in order', async () => {
        const account = await createAccount(server);
        const answers = await Promise.all(Array.from({ length: 20 }, () => setAvatar(account, 'gif')));
        const ids = answers.map(({ body }) => body.avatar.id as string);
        const updates = await updatesOf(server, account);
        expect(updates.map(({ update }) => update.seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
        const told = updates.map(({ update }) => (update.body.avatar as { id: string }).id);
        expect([...told].sort()).toEqual([...ids].sort());

        const { avatar } = (await account.call('GET', '/v1/account')).body;
        expect(avatar.id).toBe(told.at(-1));
        expect(await objectsOf(account)).toEqual([`${account.id}/${avatar.id}`]);
    });
});

describe('without an avatar', () => {
    it('is who deletes it, and other devices hear of that', async () => {
        const account = await createAccount(server);
        const { id, url } = (await setAvatar(account, 'gif')).body.avatar;
        expect(await roundTripsOf(server, () => account.call('DELETE', `/v1/uploads/${id}`))).toBe(1);
        expect((await account.call('GET', '/v1/account')).body.avatar).toBeNull();
        const [, deleted] = await updatesOf(server, account);
        expect(deleted?.update).toMatchObject({ seq: 2, body: { t: 'update-account', id: account.id, avatar: null } });
        expect((await send(server, null, 'GET', url)).status).toBe(404);
    });
});

describe('the signed address', () => {
    it('is the same for friends and needs no token', async () => {
        const [account, friend] = [await createAccount(server), await createAccount(server)];
        const { url } = (await setAvatar(account)).body.avatar;
        const { user } = (await friend.call('GET', `/v1/users/${account.id}`)).body;
        expect(user.avatar.url).toBe(url);
        const { status, bytes, headers } = await send(server, null, 'GET', url);
        expect([status, headers.get('Content-Type')]).toEqual([200, 'image/png']);
        expect(bytes).toEqual(image('png'));
        expect(headers.get('Content-Disposition')).toBe('inline; filename=me.png');
        expect(headers.get('Cache-Control')).toBe('private, max-age=86400, immutable, no-transform');
        expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    });

    it('is not to be made up', async () => {
        const account = await createAccount(server);
        const [avatar, other] = [(await setAvatar(account)).body.avatar, await createAccount(server)];
        const signature = new URL(avatar.url).searchParams.get('sig') ?? '';
        const otherId = (await setAvatar(other)).body.avatar.id;
        const changed = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
        for (const path of [
            `/v1/avatars/${avatar.id}`,
            `/v1/avatars/${avatar.id}?sig=`,
            `/v1/avatars/${avatar.id}?sig=${changed}`,
            `/v1/avatars/${avatar.id}?sig=${signature}=`,
            `/v1/avatars/${otherId}?sig=${signature}`,
            `/v1/avatars/unknown?sig=${signature}`,
        ]) {
            const { status, body } = await send(server, null, 'GET', path);
            expect([path, status, body.error]).toEqual([path, 404, 'File not found']);
        }
    });

    it('opens avatars only', async () => {
        const account = await createAccount(server);
        const { file } = (await uploadRaw(server, account, image('png'), { category: 'avatars' })).body;
        const { file: avatar } = (await account.call('GET', `/v1/uploads/${(await setAvatar(account)).body.avatar.id}`))
            .body;
        expect(avatar.reuseKey).toBe('profile-avatar');
        expect((await send(server, null, 'GET', `/v1/avatars/${file.id}?sig=x`)).status).toBe(404);
    });
});
