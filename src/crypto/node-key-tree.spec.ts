// Of the key tree the server only ever needed symmetric keys and the decryption of strings. The groups
// keyTreeHash and keyTreeCurve25519 are out of scope: the Node server uses neither.
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '@/crypto/base64';
import { DecryptionError } from '@/crypto/decryption-error';
import { decryptNodeTreeString, deriveNodeTreeKey } from '@/crypto/node-key-tree';
import { fromHex, groups, keyTree } from '@test/fixtures/vectors/privacy-kit';

function fromBase64(text: string): Uint8Array {
    const bytes = decodeBase64(text);
    if (bytes === null) throw new Error('Vector is not base64');
    return bytes;
}

describe('deriveNodeTreeKey', () => {
    it.each(groups.keyTreeSymmetricKey.cases)('vector keyTreeSymmetricKey $secret $path', async (vector) => {
        expect(await deriveNodeTreeKey(keyTree(vector.secret), vector.path)).toEqual(fromHex(vector.symmetricKeyHex));
    });

    // Subtrees do not exist here; what they promise is that a path may be cut anywhere. The `may` case is a quirk
    // of an empty subtree.
    it.each(groups.keyTreeSubtree.cases.filter(({ level }) => level === undefined))(
        'vector keyTreeSubtree $subtree $path',
        async ({ secret, subtree, path, symmetricKeyHex }) => {
            const key = await deriveNodeTreeKey(keyTree(secret), [...subtree, ...path]);
            expect(key).toEqual(fromHex(symmetricKeyHex));
        },
    );

    it.each(groups.keyTreeInvalidPath.cases)('vector keyTreeInvalidPath $path', async ({ secret, path, error }) => {
        await expect(deriveNodeTreeKey(keyTree(secret), path)).rejects.toThrow(new RangeError(error));
    });

    it.each(groups.upstreamSpec.cases)('vector upstreamSpec $usage $path', async (vector) => {
        const root = fromHex(vector.chainCodeHex);
        expect(await deriveNodeTreeKey(root, vector.path)).toEqual(fromHex(vector.symmetricKeyHex));
        if (vector.ciphertextHex === undefined) return;
        const text = await decryptNodeTreeString(root, vector.path, fromHex(vector.ciphertextHex));
        expect(text).toBe(vector.plaintextUtf8);
    });
});

describe('decryptNodeTreeString', () => {
    it.each(groups.symmetricEncryptExact.cases)('vector symmetricEncryptExact $path $nonceHex', async (vector) => {
        const stored = fromBase64(vector.ciphertextBase64);
        expect(stored).toHaveLength(vector.length);
        const text = await decryptNodeTreeString(keyTree(vector.secret), vector.path, stored);
        expect(text).toBe(vector.decryptedString ?? vector.plaintextUtf8);
    });

    it.each(groups.symmetricDecryptRandom.cases)('vector symmetricDecryptRandom $plaintextUtf8', async (vector) => {
        const stored = fromBase64(vector.ciphertextBase64);
        const text = await decryptNodeTreeString(keyTree(vector.secret), vector.path, stored);
        expect(text).toBe(vector.plaintextUtf8);
    });

    it.each(groups.symmetricDecryptVerify.cases)('vector symmetricDecryptVerify $name', async (vector) => {
        const stored = fromHex(vector.ciphertextHex);
        const text = decryptNodeTreeString(keyTree(vector.secret), vector.path, stored);
        if (vector.expect === null) await expect(text).rejects.toThrow(DecryptionError);
        else expect(await text).toBe(vector.expect);
    });
});
