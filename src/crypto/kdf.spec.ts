import { describe, expect, it } from 'vitest';
import { constantTimeEqual, createKeyDeriver, hmacKey, MAX_CACHED_KEYS } from '@/crypto/kdf';
import { fromHex, keyTree } from '@test/fixtures/vectors/privacy-kit';

const KEY_TREE = keyTree('hex64');

describe('createKeyDeriver', () => {
    it('gives every path a key of its own', async () => {
        const { derive } = createKeyDeriver(KEY_TREE);
        const paths = [
            [],
            [''],
            ['', ''],
            ['a', 'b/c'],
            ['a/b', 'c'],
            ['a/b/c'],
            ['a', 'b', 'c'],
            ['c', 'b', 'a'],
            ['ab', 'c'],
            ['a', 'bc'],
            ['a\0b'],
            ['a', '\0', 'b'],
            ['a', '\0\0\0\x01b'],
            ['user', 'x', 'vendors', 'openai', 'token'],
            ['user', 'x', 'vendors', 'anthropic', 'token'],
        ];
        const keys = await Promise.all(paths.map(derive));
        expect(new Set(keys.map(String)).size).toBe(paths.length);
        expect(keys.every((key) => key.length === 32)).toBe(true);
    });

    // Fixed for ever: another result would make stored ciphertexts unreadable.
    it('gives the key it always gave', async () => {
        const key = await createKeyDeriver(KEY_TREE).derive(['user', 'x', 'vendors', 'openai', 'token']);
        expect(key).toEqual(fromHex('7efd126ce5e741e725c34495027a43c0111ffc4baf51f0daee23b00fd91cce17'));
    });

    it('depends on the key tree', async () => {
        const path = ['user', 'x'];
        const [one, other] = await Promise.all(
            ['hex64', 'other64'].map((secret) => createKeyDeriver(keyTree(secret)).derive(path)),
        );
        expect(one).not.toEqual(other);
    });

    it('remembers keys, and at most a thousand', async () => {
        const deriver = createKeyDeriver(KEY_TREE);
        const first = await deriver.derive(['0']);
        await deriver.derive(['0']);
        expect(deriver.cachedKeys()).toBe(1);
        for (let index = 1; index < MAX_CACHED_KEYS + 50; index++) await deriver.derive([String(index)]);
        expect(deriver.cachedKeys()).toBe(1000);
        expect(await deriver.derive(['0'])).toEqual(first);
    });

    it('is not changed by what a caller does with a key', async () => {
        const { derive } = createKeyDeriver(KEY_TREE);
        const key = await derive(['a']);
        const copy = key.slice();
        key.fill(0);
        const again = await derive(['a']);
        expect(again).toEqual(copy);
        again.fill(0);
        expect(await derive(['a'])).toEqual(copy);
    });
});

describe('hmacKey', () => {
    const sign = async (tree: Uint8Array, label: string): Promise<Uint8Array> =>
        new Uint8Array(await crypto.subtle.sign('HMAC', await hmacKey(tree, label), new Uint8Array(3)));

    it('differs by label and key tree', async () => {
        const tags = await Promise.all([
            sign(KEY_TREE, 'ticket'),
            sign(KEY_TREE, 'challenge'),
            sign(KEY_TREE, ''),
            sign(keyTree('other64'), 'ticket'),
        ]);
        expect(new Set(tags.map(String)).size).toBe(tags.length);
        expect(await sign(KEY_TREE, 'ticket')).toEqual(tags[0]);
    });

    // Fixed for ever: another result would break every signed URL in the world.
    it('gives the key it always gave', async () => {
        expect(await sign(KEY_TREE, 'ticket')).toEqual(
            fromHex('d9d5fd37fce57fdc20963d562a2d56509cde233948027217d5318bf74870a861'),
        );
    });

    it('shares no key with the vault', async () => {
        const { derive } = createKeyDeriver(KEY_TREE);
        const tag = await sign(KEY_TREE, 'ticket');
        for (const path of [['ticket'], ['hmac', 'ticket'], []]) {
            const raw = await derive(path);
            const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
            expect(new Uint8Array(await crypto.subtle.sign('HMAC', key, new Uint8Array(3)))).not.toEqual(tag);
        }
    });

    it('verifies tags, and refuses wrong ones of any length', async () => {
        const key = await hmacKey(KEY_TREE, 'ticket');
        const message = new TextEncoder().encode('message');
        const tag = new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
        expect(await crypto.subtle.verify('HMAC', key, tag, message)).toBe(true);
        expect(await crypto.subtle.verify('HMAC', key, tag, new Uint8Array(1))).toBe(false);
        for (const length of [0, 1, 31]) {
            expect(await crypto.subtle.verify('HMAC', key, tag.slice(0, length), message)).toBe(false);
        }
    });

    it('cannot be read back', async () => {
        const key = await hmacKey(KEY_TREE, 'ticket');
        await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow(/extractable/i);
    });
});

describe('constantTimeEqual', () => {
    it.each([
        ['', '', true],
        ['secret', 'secret', true],
        ['secret', 'secreT', false],
        ['secret', 'secret ', false],
        ['secret', '', false],
        ['a\0', 'a', false],
        ['ключ', 'ключ', true],
    ])('%j and %j: %s', async (a, b, equal) => {
        expect(await constantTimeEqual(a, b)).toBe(equal);
        expect(await constantTimeEqual(new TextEncoder().encode(a), b)).toBe(equal);
    });
});
