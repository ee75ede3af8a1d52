import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '@/crypto/base64';
import { DecryptionError } from '@/crypto/decryption-error';
import { createVault } from '@/crypto/vault';
import { fromHex, groups, keyTree } from '@test/fixtures/vectors/privacy-kit';

const KEY_TREE = keyTree('hex64');
const PATH = ['user', 'cmhs1e4ld0001l508k3f7a2zq', 'vendors', 'openai', 'token'];
const vault = createVault(KEY_TREE);

describe('own format', () => {
    it.each([
        ['nothing', ''],
        ['one character', 'a'],
        ['any Unicode', 'ключ 🔐 \0 \r\n'],
        ['a byte order mark', '\ufeffmark'],
        ['the longest vendor token', 'x'.repeat(16_384)],
    ])('round-trips %s', async (_name, text) => {
        const stored = await vault.encryptString(PATH, text);
        expect(stored[0]).toBe(1);
        expect(stored).toHaveLength(1 + 24 + 16 + new TextEncoder().encode(text).length);
        expect(await vault.decryptString(PATH, stored)).toBe(text);
        expect(await createVault(KEY_TREE).decryptString(PATH, stored)).toBe(text);
    });

    // Fixed for ever: a change of format or key derivation must keep this readable.
    it('opens what it stored once', async () => {
        expect(
            await vault.decryptString(
                PATH,
                fromHex(
                    '01000102030405060708090a0b0c0d0e0f1011121314151617d305e3994b9b744b17ef35253635d59eb7530ac7b19e925190537892',
                ),
            ),
        ).toBe('secret value');
    });

    it('never uses a nonce twice', async () => {
        const stored = await Promise.all(Array.from({ length: 100 }, () => vault.encryptString(PATH, 'same')));
        expect(new Set(stored.map((bytes) => String(bytes.slice(1, 25)))).size).toBe(100);
    });

    it.each([
        ['another vendor', [...PATH.slice(0, 3), 'anthropic', 'token']],
        ['another user', ['user', 'clx0000000000abcdefghijkl', ...PATH.slice(2)]],
        ['a joined path', [PATH.join('/')]],
        ['no path', []],
    ])('does not open under %s', async (_name, path) => {
        const stored = await vault.encryptString(PATH, 'secret value');
        await expect(vault.decryptString(path, stored)).rejects.toThrow(DecryptionError);
    });

    it('tells ["a", "b/c"] from ["a/b", "c"]', async () => {
        const stored = await vault.encryptString(['a', 'b/c'], 'secret value');
        await expect(vault.decryptString(['a/b', 'c'], stored)).rejects.toThrow(DecryptionError);
    });

    it('does not open under another key tree', async () => {
        const stored = await vault.encryptString(PATH, 'secret value');
        await expect(createVault(keyTree('other64')).decryptString(PATH, stored)).rejects.toThrow(DecryptionError);
    });

    it('notices every flipped bit and every cut', async () => {
        const stored = await vault.encryptString(PATH, 'text');
        for (let bit = 0; bit < stored.length * 8; bit++) {
            const damaged = stored.slice();
            damaged[bit >> 3]! ^= 1 << (bit & 7);
            await expect(vault.decryptString(PATH, damaged)).rejects.toThrow(DecryptionError);
        }
        for (let length = 0; length < stored.length; length++) {
            await expect(vault.decryptString(PATH, stored.slice(0, length))).rejects.toThrow(DecryptionError);
        }
        const longer = new Uint8Array([...stored, 0]);
        await expect(vault.decryptString(PATH, longer)).rejects.toThrow(DecryptionError);
    });

    it('leaks nothing in its errors', async () => {
        const stored = await vault.encryptString(PATH, 'secret value');
        const error: unknown = await vault.decryptString(['other'], stored).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(DecryptionError);
        expect(String(error)).toBe('DecryptionError: Cannot decrypt stored secret: authentication failed');
        expect(error).not.toHaveProperty('cause');
    });
});

describe('format of the Node server', () => {
    it.each(groups.symmetricEncryptExact.cases)('vector symmetricEncryptExact $path $nonceHex', async (vector) => {
        const stored = decodeBase64(vector.ciphertextBase64) ?? new Uint8Array();
        const text = await createVault(keyTree(vector.secret)).decryptString(vector.path, stored);
        expect(text).toBe(vector.decryptedString ?? vector.plaintextUtf8);
    });

    it.each(groups.symmetricDecryptVerify.cases)('vector symmetricDecryptVerify $name', async (vector) => {
        const text = createVault(keyTree(vector.secret)).decryptString(vector.path, fromHex(vector.ciphertextHex));
        if (vector.expect === null) await expect(text).rejects.toThrow(DecryptionError);
        else expect(await text).toBe(vector.expect);
    });
});

it.each([2, 3, 0x31, 0x7b, 255])('refuses version byte %i', async (version) => {
    const stored = await vault.encryptString(PATH, 'secret value');
    stored[0] = version;
    await expect(vault.decryptString(PATH, stored)).rejects.toHaveProperty('reason', 'unknown format');
});

it.each([0, 32, 63, 65, 128])('refuses a key tree of %i bytes', (length) => {
    expect(() => createVault(new Uint8Array(length))).toThrow(RangeError);
});
