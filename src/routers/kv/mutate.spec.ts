import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const [ONE, TWO, THREE] = [btoa('one'), btoa('two'), btoa('three')];

const mutate = (account: TestAccount, ...mutations: object[]) => account.call('POST', '/v1/kv', { mutations });

describe('POST /v1/kv', () => {
    const clock = holdClock();

    it('makes keys at version 0 and counts up with each change', async () => {
        const account = await createAccount(server);
        const made = await mutate(
            account,
            { key: 'b', value: ONE, version: -1 },
            { key: 'a', value: TWO, version: -1 },
        );
        expect(made.status).toBe(200);
        expect(made.body).toEqual({
            success: true,
            results: [
                { key: 'b', version: 0 },
                { key: 'a', version: 0 },
            ],
        });
        const changed = await mutate(account, { key: 'a', value: THREE, version: 0 });
        expect(changed.body).toEqual({ success: true, results: [{ key: 'a', version: 1 }] });
        expect((await account.call('GET', '/v1/kv/a')).body).toEqual({ key: 'a', value: THREE, version: 1 });
        expect((await account.call('GET', '/v1/kv/b')).body).toEqual({ key: 'b', value: ONE, version: 0 });
    });

    it('writes nothing when one key of a batch has another version, and tells of that one', async () => {
        const account = await createAccount(server);
        await mutate(account, { key: 'a', value: ONE, version: -1 }, { key: 'b', value: ONE, version: -1 });
        const answer = await mutate(
            account,
            { key: 'new', value: TWO, version: -1 },
            { key: 'a', value: TWO, version: 0 },
            { key: 'b', value: TWO, version: 5 },
            { key: 'absent', value: TWO, version: 0 },
        );
        expect(answer.status).toBe(409);
        expect(answer.body).toEqual({
            success: false,
            errors: [
                { key: 'b', error: 'version-mismatch', version: 0, value: ONE },
                { key: 'absent', error: 'version-mismatch', version: -1, value: null },
            ],
        });
        const { body } = await account.call('GET', '/v1/kv');
        expect(body.items).toEqual([
            { key: 'a', value: ONE, version: 0 },
            { key: 'b', value: ONE, version: 0 },
        ]);
    });

    it('keeps a deleted key as a tombstone, whose version counts on', async () => {
        const account = await createAccount(server);
        await mutate(account, { key: 'a', value: ONE, version: -1 });
        expect((await mutate(account, { key: 'a', value: null, version: 0 })).body.results).toEqual([
            { key: 'a', version: 1 },
        ]);
        expect(await account.call('GET', '/v1/kv/a')).toMatchObject({ status: 404, body: { error: 'Key not found' } });
        expect((await account.call('GET', '/v1/kv')).body).toEqual({ items: [] });
        expect((await account.call('POST', '/v1/kv/bulk', { keys: ['a'] })).body).toEqual({ values: [] });

        const again = await mutate(account, { key: 'a', value: TWO, version: -1 });
        expect(again.status).toBe(409);
        expect(again.body.errors).toEqual([{ key: 'a', error: 'version-mismatch', version: 1, value: null }]);
        expect((await mutate(account, { key: 'a', value: TWO, version: 1 })).body.results).toEqual([
            { key: 'a', version: 2 },
        ]);
        expect((await account.call('GET', '/v1/kv/a')).body).toEqual({ key: 'a', value: TWO, version: 2 });
    });

    it('can delete what never was, and what is deleted, by its version', async () => {
        const account = await createAccount(server);
        expect((await mutate(account, { key: 'a', value: null, version: -1 })).body.results).toEqual([
            { key: 'a', version: 0 },
        ]);
        expect((await mutate(account, { key: 'a', value: null, version: 0 })).body.results).toEqual([
            { key: 'a', version: 1 },
        ]);
        expect((await account.call('GET', '/v1/kv/a')).status).toBe(404);
    });

    it('tells an empty value from none', async () => {
        const account = await createAccount(server);
        await mutate(account, { key: 'a', value: '', version: -1 });
        const item = { key: 'a', value: '', version: 0 };
        expect((await account.call('GET', '/v1/kv/a')).body).toEqual(item);
        expect((await account.call('GET', '/v1/kv')).body.items).toEqual([item]);
        const lost = await mutate(account, { key: 'a', value: ONE, version: 3 });
        expect(lost.body.errors).toEqual([{ key: 'a', error: 'version-mismatch', version: 0, value: '' }]);
    });

    it('gives every byte back as it is (P10)', async () => {
        const account = await createAccount(server);
        const value = btoa(String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte)));
        await mutate(account, { key: 'a', value, version: -1 });
        expect((await account.call('GET', '/v1/kv/a')).body.value).toBe(value);
    });

    it('tells of a batch by one update with one number', async () => {
        const account = await createAccount(server);
        await mutate(account, { key: 'a', value: ONE, version: -1 }, { key: 'b', value: null, version: -1 });
        await mutate(account, { key: 'a', value: TWO, version: 7 });
        await mutate(account, { key: 'a', value: TWO, version: 0 });
        const updates = await updatesOf(server, account);
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            {
                seq: 1,
                body: {
                    t: 'kv-batch-update',
                    changes: [
                        { key: 'a', value: ONE, version: 0 },
                        { key: 'b', value: null, version: 0 },
                    ],
                },
                to: {},
            },
            { seq: 2, body: { t: 'kv-batch-update', changes: [{ key: 'a', value: TWO, version: 1 }] }, to: {} },
        ]);
        expect(await seqOf(server, account)).toBe(2);
    });

    it('keeps when a key was made', async () => {
        const account = await createAccount(server);
        const createdAt = Date.now();
        await mutate(account, { key: 'a', value: ONE, version: -1 });
        clock.advance(1000);
        await mutate(account, { key: 'a', value: TWO, version: 0 });
        const row = await server.env.DB.prepare('SELECT createdAt, updatedAt FROM UserKVStore WHERE accountId = ?')
            .bind(account.id)
            .first();
        expect(row).toEqual({ createdAt, updatedAt: createdAt + 1000 });
    });

    it('P7 optimistic lock: of 20 writers one wins, and 19 get its value', async () => {
        const account = await createAccount(server);
        await mutate(account, { key: 'a', value: ONE, version: -1 });
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) => mutate(account, { key: 'a', value: btoa(`writer ${i}`), version: 0 })),
        );
        const winners = answers.flatMap(({ status }, i) => (status === 200 ? [btoa(`writer ${i}`)] : []));
        expect(winners).toHaveLength(1);
        const errors = [{ key: 'a', error: 'version-mismatch', version: 1, value: winners[0] }];
        expect(answers.filter(({ status }) => status === 409).map(({ body }) => body)).toEqual(
            Array(19).fill({ success: false, errors }),
        );
    });
});
