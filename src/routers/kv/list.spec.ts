import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { statements } from '@test/helpers/database';
import { startServer } from '@test/helpers/server';

const server = startServer();

/** Makes keys whose values are their names. */
async function put(account: TestAccount, keys: string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += 100) {
        const mutations = keys.slice(start, start + 100).map((key) => ({ key, value: valueOf(key), version: -1 }));
        const { status } = await account.call('POST', '/v1/kv', { mutations });
        expect(status).toBe(200);
    }
}

const valueOf = (key: string) => Buffer.from(key).toString('base64');
const keysOf = (items: { key: string }[]) => items.map(({ key }) => key);
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

async function list(account: TestAccount, query: Record<string, string> = {}): Promise<string[]> {
    const { status, body } = await account.call('GET', `/v1/kv?${new URLSearchParams(query)}`);
    expect(status).toBe(200);
    return keysOf(body.items);
}

describe('GET /v1/kv', () => {
    it('lists 1,000 keys in the order of their bytes', async () => {
        const account = await createAccount(server);
        const keys = Array.from(
            { length: 1001 },
            (_, i) => `${['a', 'Z', 'é', '\u{ffff}', '😀'][i % 5]}${(i * 7919) % 1001}`,
        );
        await put(account, keys);
        const { body } = await account.call('GET', '/v1/kv?limit=1000');
        const expected = keys.sort(byBytes).slice(0, 1000);
        expect(keysOf(body.items)).toEqual(expected);
        expect(body.items[999]).toEqual({ key: expected[999], value: valueOf(expected[999]!), version: 0 });
        expect(await list(account)).toEqual(expected.slice(0, 100));
    });

    it('counts no deleted keys', async () => {
        const account = await createAccount(server);
        await put(account, ['a', 'b', 'c', 'd']);
        await account.call('POST', '/v1/kv', {
            mutations: ['a', 'c'].map((key) => ({ key, value: null, version: 0 })),
        });
        expect(await list(account, { limit: '2' })).toEqual(['b', 'd']);
    });

    it.each([
        ['a%', ['a%', 'a%z']],
        ['a_', ['a_', 'a_z']],
        ['a', ['a', 'a%', 'a%z', 'a\\', 'aXz', 'a_', 'a_z', 'aé']],
        ['A', ['Ax']],
        ['a\\', ['a\\']],
        [
            '',
            [
                'Ax',
                'a',
                'a%',
                'a%z',
                'a\\',
                'aXz',
                'a_',
                'a_z',
                'aé',
                'b',
                '\u{10ffff}',
                '\u{10ffff}\u{10ffff}',
                '\u{10ffff}a',
            ],
        ],
        ['\u{10ffff}', ['\u{10ffff}', '\u{10ffff}\u{10ffff}', '\u{10ffff}a']],
        ['\u{10ffff}\u{10ffff}', ['\u{10ffff}\u{10ffff}']],
        ['nothing', []],
    ])('takes the prefix %j for itself', async (prefix, expected) => {
        const account = await createAccount(server);
        await put(account, [
            'a',
            'a%',
            'a%z',
            'a_',
            'a_z',
            'aXz',
            'a\\',
            'aé',
            'Ax',
            'b',
            '\u{10ffff}',
            '\u{10ffff}a',
            '\u{10ffff}\u{10ffff}',
        ]);
        expect(await list(account, { prefix })).toEqual(expected.sort(byBytes));
    });

    it('reads a range of the index for a prefix', async () => {
        const account = await createAccount(server);
        await put(
            account,
            Array.from({ length: 300 }, (_, i) => `${i % 3}:${i}`),
        );
        expect(await list(account, { prefix: '1:', limit: '1000' })).toHaveLength(100);
        const sent = [...statements.values()].find(({ sql }) => sql.includes("x'FF'"));
        const plan = await server.env.DB.prepare(`EXPLAIN QUERY PLAN ${sent?.sql}`)
            .bind(...Array(sent?.parameters).fill(null))
            .all<{ detail: string }>();
        const searches = plan.results.map(({ detail }) => detail).filter((detail) => detail.includes('UserKVStore'));
        const byRange =
            'SEARCH UserKVStore USING INDEX UserKVStore_accountId_key_key (accountId=? AND key>? AND key<?)';
        expect(new Set(searches)).toEqual(new Set([byRange]));
    });

    it.each(['limit=0', 'limit=1001', 'limit=x', 'limit=1&limit=2', `prefix=${'p'.repeat(257)}`, 'prefix=%00'])(
        'refuses ?%s',
        async (query) => {
            const account = await createAccount(server);
            expect((await account.call('GET', `/v1/kv?${query}`)).status).toBe(400);
        },
    );
});

describe('POST /v1/kv/bulk', () => {
    it('returns those that exist, in the order asked for, each once', async () => {
        const account = await createAccount(server);
        await put(account, ['a', 'b', 'c']);
        await account.call('POST', '/v1/kv', { mutations: [{ key: 'b', value: null, version: 0 }] });
        const { status, body } = await account.call('POST', '/v1/kv/bulk', { keys: ['c', 'b', 'none', 'a', 'c'] });
        expect(status).toBe(200);
        expect(body).toEqual({
            values: [
                { key: 'c', value: valueOf('c'), version: 0 },
                { key: 'a', value: valueOf('a'), version: 0 },
            ],
        });
    });

    it('takes 100 keys', async () => {
        const account = await createAccount(server);
        const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`);
        await put(account, keys);
        const { body } = await account.call('POST', '/v1/kv/bulk', { keys });
        expect(keysOf(body.values)).toEqual(keys);
    });

    it.each([
        ['none', []],
        ['101', Array(101).fill('k')],
        ['an empty one', ['']],
        ['257 bytes', ['k'.repeat(257)]],
        ['a number', [7]],
        ['one with NUL', ['a\0']],
    ])('refuses %s', async (_, keys) => {
        const account = await createAccount(server);
        expect((await account.call('POST', '/v1/kv/bulk', { keys })).status).toBe(400);
    });
});

describe('values too large for one answer', () => {
    /** 40 keys of 256 KiB: 10 MiB, of which an answer holds 8. */
    async function tenMebibytes() {
        const account = await createAccount(server);
        await server.env.DB.prepare(
            `INSERT INTO UserKVStore (id, accountId, key, createdAt, updatedAt, value)
             SELECT ?1 || value, ?1, 'k' || (value + 10), 1, 1, randomblob(262144) FROM json_each(?2)`,
        )
            .bind(account.id, JSON.stringify(Array.from({ length: 40 }, (_, i) => i)))
            .run();
        return { account, keys: Array.from({ length: 40 }, (_, i) => `k${i + 10}`) };
    }

    it('are refused rather than left out', async () => {
        const { account, keys } = await tenMebibytes();
        const error = {
            status: 413,
            body: { code: 'PAYLOAD_TOO_LARGE', error: 'Values are over 8388608 bytes together: ask for fewer keys' },
        };
        expect(await account.call('GET', '/v1/kv')).toMatchObject(error);
        expect(await account.call('POST', '/v1/kv/bulk', { keys })).toMatchObject(error);
    });

    it('come in smaller portions', async () => {
        const { account, keys } = await tenMebibytes();
        expect(await list(account, { limit: '32' })).toEqual(keys.slice(0, 32));
        const { body } = await account.call('POST', '/v1/kv/bulk', { keys: keys.slice(8) });
        expect(keysOf(body.values)).toEqual(keys.slice(8));
    });

    it('are told to who lost a batch as far as they fit', async () => {
        const { account, keys } = await tenMebibytes();
        const mutations = keys.map((key) => ({ key, value: null, version: 7 }));
        const { status, body } = await account.call('POST', '/v1/kv', { mutations });
        expect(status).toBe(409);
        expect(keysOf(body.errors)).toEqual(keys.slice(0, 32));
    });
});
