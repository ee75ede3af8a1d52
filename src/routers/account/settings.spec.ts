import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

describe.each([
    { read: '/v1/account/preferences', method: 'PUT', write: '/v1/account/preferences' },
    { read: '/v1/account/settings', method: 'POST', write: '/v1/account/settings' },
])('$method $write', ({ read, method, write }) => {
    it('starts without settings, at version 0', async () => {
        const account = await createAccount(server);
        expect((await account.call('GET', read)).body).toEqual({ settings: null, settingsVersion: 0 });
    });

    it('replaces and clears them, one version after the other', async () => {
        const account = await createAccount(server);
        const put = (settings: string | null, expectedVersion: number) =>
            account.call(method, write, { settings, expectedVersion });
        expect((await put('c2V0', 0)).body).toEqual({ success: true, version: 1 });
        expect((await account.call('GET', read)).body).toEqual({ settings: 'c2V0', settingsVersion: 1 });
        expect((await put(null, 1)).body).toEqual({ success: true, version: 2 });
        expect((await account.call('GET', read)).body).toEqual({ settings: null, settingsVersion: 2 });
    });

    it('P7 optimistic lock: of 20 writers one wins, and 19 get its value', async () => {
        const account = await createAccount(server);
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) =>
                account.call(method, write, { settings: `writer ${i}`, expectedVersion: 0 }),
            ),
        );
        expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
        const winner = answers.findIndex(({ body }) => body.success);
        expect(answers[winner]?.body).toEqual({ success: true, version: 1 });
        expect(answers.filter((_, i) => i !== winner).map(({ body }) => body)).toEqual(
            Array(19).fill({
                success: false,
                error: 'version-mismatch',
                currentVersion: 1,
                currentSettings: `writer ${winner}`,
            }),
        );
        // Who lost takes no number and tells nobody.
        expect(await seqOf(server, account)).toBe(1);
        const told = await updatesOf(server, account);
        expect(told.map(({ update, to }) => [update.body, to])).toEqual([
            [{ t: 'update-account', id: account.id, settings: { value: `writer ${winner}`, version: 1 } }, {}],
        ]);
    });

    it('P10 opaque: keeps a megabyte byte for byte, and refuses one byte more', async () => {
        const account = await createAccount(server);
        const settings = `${'x'.repeat(999_996)}🙂`;
        expect(Buffer.byteLength(settings)).toBe(1_000_000);
        expect((await account.call(method, write, { settings, expectedVersion: 0 })).body).toEqual({
            success: true,
            version: 1,
        });
        expect((await account.call('GET', read)).body.settings === settings).toBe(true);
        expect((await account.call(method, write, { settings: `${settings}x`, expectedVersion: 1 })).status).toBe(400);
    });

    it.each([
        {},
        { settings: 'x' },
        { expectedVersion: 0 },
        { settings: 'x', expectedVersion: -1 },
        { settings: 'x', expectedVersion: 0.5 },
        { settings: 'x', expectedVersion: '0' },
        { settings: 'x', expectedVersion: null },
        { settings: { theme: 'dark' }, expectedVersion: 0 },
        { settings: 'a\0b', expectedVersion: 0 },
    ])('refuses %j', async (input) => {
        const account = await createAccount(server);
        expect((await account.call(method, write, input)).status).toBe(400);
        expect((await account.call('GET', read)).body.settingsVersion).toBe(0);
    });

    it('takes one round trip', async () => {
        const account = await createAccount(server);
        await account.call('GET', read);
        expect(await roundTripsOf(server, () => account.call('GET', read))).toBe(1);
        const input = { settings: 'x', expectedVersion: 0 };
        expect(await roundTripsOf(server, () => account.call(method, write, input))).toBe(1);
        expect(await roundTripsOf(server, () => account.call(method, write, input))).toBe(1);
    });
});

describe('settings at other doors', () => {
    it('are the same over tRPC', async () => {
        const { account } = createClient(server, (await createAccount(server)).token);
        expect(await account.updateSettings.mutate({ settings: 'x', expectedVersion: 0 })).toEqual({
            success: true,
            version: 1,
        });
        expect(await account.updateSettings.mutate({ settings: 'y', expectedVersion: 0 })).toEqual({
            success: false,
            error: 'version-mismatch',
            currentVersion: 1,
            currentSettings: 'x',
        });
        expect(await account.settings.query({})).toEqual({ settings: 'x', settingsVersion: 1 });
    });

    it('P8 isolation: are each account’s own', async () => {
        const [a, b] = [await createAccount(server), await createAccount(server)];
        await a.call('PUT', '/v1/account/preferences', { settings: 'secret', expectedVersion: 0 });
        expect((await b.call('GET', '/v1/account/preferences')).body).toEqual({ settings: null, settingsVersion: 0 });
        expect((await b.call('PUT', '/v1/account/preferences', { settings: 'x', expectedVersion: 1 })).body).toEqual({
            success: false,
            error: 'version-mismatch',
            currentVersion: 0,
            currentSettings: null,
        });
    });
});
