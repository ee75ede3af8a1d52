import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();
const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');
const mutation = { key: 'a', value: 'AAAA', version: -1 };

describe('keys in a path', () => {
    it.each([
        'a/b',
        '/',
        '//',
        '100%',
        '%',
        '%2F',
        '%41',
        'a b',
        'a+b',
        'a?b#c',
        '😀',
        'ключ',
        'bulk',
        'a:b',
        '{key}',
        'k'.repeat(256),
        'é'.repeat(128),
    ])('finds %j', async (key) => {
        const account = await createAccount(server);
        expect((await account.call('POST', '/v1/kv', { mutations: [{ ...mutation, key }] })).status).toBe(200);
        const answer = await account.call('GET', `/v1/kv/${encodeURIComponent(key)}`);
        expect(answer).toMatchObject({ status: 200, body: { key, value: 'AAAA', version: 0 } });
    });

    it.each(['%00', 'a%00b', 'k'.repeat(257), encodeURIComponent('é'.repeat(129))])('refuses %s', async (path) => {
        const account = await createAccount(server);
        expect(await account.call('GET', `/v1/kv/${path}`)).toMatchObject({
            status: 400,
            body: { code: 'VALIDATION_FAILED' },
        });
    });

    it('takes a slash as it is for another path', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/kv', { mutations: [{ ...mutation, key: 'a/b' }] });
        expect(await account.call('GET', '/v1/kv/a/b')).toMatchObject({ status: 404, body: { error: 'Not found' } });
    });
});

describe('POST /v1/kv', () => {
    it.each([
        ['nothing', {}],
        ['no mutation', { mutations: [] }],
        ['101 mutations', { mutations: Array.from({ length: 101 }, (_, i) => ({ ...mutation, key: `${i}` })) }],
        ['a key twice', { mutations: [mutation, { ...mutation, key: 'b' }, mutation] }],
        ['an empty key', { mutations: [{ ...mutation, key: '' }] }],
        ['a key of 257 bytes', { mutations: [{ ...mutation, key: 'k'.repeat(257) }] }],
        ['a key of more than 256 bytes in fewer characters', { mutations: [{ ...mutation, key: '😀'.repeat(65) }] }],
        ['a key with NUL', { mutations: [{ ...mutation, key: 'a\0b' }] }],
        ['a key with half a character', { mutations: [{ ...mutation, key: '\udc00' }] }],
        ['a value left out', { mutations: [{ key: 'a', version: -1 }] }],
        ['a value that is no base64', { mutations: [{ ...mutation, value: 'a-_b' }] }],
        ['a value without padding', { mutations: [{ ...mutation, value: 'AAA' }] }],
        ['a value of 256 KiB and a byte', { mutations: [{ ...mutation, value: base64(256 * 1024 + 1) }] }],
        ['a version of -2', { mutations: [{ ...mutation, version: -2 }] }],
        ['a version that is no integer', { mutations: [{ ...mutation, version: 0.5 }] }],
        ['a version as text', { mutations: [{ ...mutation, version: '0' }] }],
        ['a version left out', { mutations: [{ key: 'a', value: 'AAAA' }] }],
        [
            'values of over 1.5 MiB together',
            {
                mutations: [...'abcdef', 'g'].map((key, i) => ({
                    ...mutation,
                    key,
                    value: base64(i < 6 ? 256 * 1024 : 1),
                })),
            },
        ],
    ])('refuses %s, and writes nothing', async (_, body) => {
        const account = await createAccount(server);
        expect(await account.call('POST', '/v1/kv', body)).toMatchObject({
            status: 400,
            body: { code: 'VALIDATION_FAILED' },
        });
        expect((await account.call('GET', '/v1/kv')).body).toEqual({ items: [] });
    });

    it('takes 1.5 MiB in one batch', async () => {
        const account = await createAccount(server);
        const mutations = [...'abcdef'].map((key) => ({ key, value: base64(256 * 1024), version: -1 }));
        expect((await account.call('POST', '/v1/kv', { mutations })).status).toBe(200);
        const { body } = await account.call('GET', '/v1/kv');
        expect(body.items).toEqual(mutations.map((item) => ({ ...item, version: 0 })));
    });

    it('takes 100 mutations', async () => {
        const account = await createAccount(server);
        const mutations = Array.from({ length: 100 }, (_, i) => ({ ...mutation, key: `${i}` }));
        const { body } = await account.call('POST', '/v1/kv', { mutations });
        expect(body.results).toEqual(mutations.map(({ key }) => ({ key, version: 0 })));
    });
});
