import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('P8 isolation of the key-value store', () => {
    it.each([
        ['GET', '/v1/kv/{key}', undefined],
        ['GET', '/v1/kv?prefix={key}', undefined],
        ['POST', '/v1/kv/bulk', { keys: ['{key}'] }],
        ['POST', '/v1/kv', { mutations: [{ key: '{key}', value: 'AAAA', version: 0 }] }],
        ['POST', '/v1/kv', { mutations: [{ key: '{key}', value: null, version: 0 }] }],
        ['POST', '/v1/kv', { mutations: [{ key: '{key}', value: 'AAAA', version: -1 }] }],
    ])("%s %s answers to another's key as to none", async (method, path, body) => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        await owner.call('POST', '/v1/kv', { mutations: [{ key: 'theirs', value: 'BBBB', version: -1 }] });
        const ask = async (key: string) => {
            const answer = await stranger.call(
                method,
                path.replace('{key}', key),
                body && JSON.parse(JSON.stringify(body).replace('{key}', key)),
            );
            return JSON.parse(JSON.stringify(told(answer)).replaceAll(key, '{key}')) as unknown;
        };
        expect(await ask('theirs')).toEqual(await ask('nobodys'));
        expect((await owner.call('GET', '/v1/kv')).body).toEqual({
            items: [{ key: 'theirs', value: 'BBBB', version: 0 }],
        });
        expect(await seqOf(server, owner)).toBe(1);
        expect(await updatesOf(server, owner)).toHaveLength(1);
    });
});
