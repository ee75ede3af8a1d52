import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '@/client/base64';
import { groups } from '../../test/fixtures/vectors/clients.json';
import {
    authRequest,
    boxKeyPairFromSeed,
    contentKeyPair,
    decryptJson,
    deriveKey,
    encryptJson,
    open,
    openPairingResponseV2,
    pairingResponseV2,
    seal,
    terminalKeyPair,
    unwrapDataKey,
    wrapDataKey,
} from '@/client/crypto';

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const hex = (value: Uint8Array | null) => value && Buffer.from(value).toString('hex');
const randomness = (vector: { ephemeralSecretKeyHex: string; nonceHex: string }) => ({
    ephemeralSecretKey: bytes(vector.ephemeralSecretKeyHex),
    nonce: bytes(vector.nonceHex),
});

describe('the keys of a client', () => {
    it.each(groups.authChallenge.cases)('sign the challenge of account $accountPublicKeyHexUpper', (vector) => {
        expect(authRequest(bytes(vector.secretHex), bytes(vector.challengeHex))).toEqual(vector.requestBody);
    });

    it.each(groups.deriveKey.cases)('derive $usage $path', ({ masterHex, usage, path, keyHex }) => {
        expect(hex(deriveKey(bytes(masterHex), usage, path))).toBe(keyHex);
    });

    it.each(groups.accountKeys.cases)('have the content key pair of account $anonID', (vector) => {
        const { publicKey, secretKey } = contentKeyPair(bytes(vector.secretHex));
        expect(hex(publicKey)).toBe(vector.contentPublicKeyHex);
        expect(hex(secretKey)).toBe(vector.contentSecretKeyHex);
    });

    it.each(groups.terminalKeys.cases)('have the terminal key $publicKeyBase64', (vector) => {
        expect(encodeBase64(terminalKeyPair(bytes(vector.secretHex)).publicKey)).toBe(vector.publicKeyBase64);
    });

    it.each(groups.accountKeysPairing.cases.filter(({ client }) => client === 'happy-app'))(
        'have the new device key $publicKeyBase64',
        (vector) => {
            const { publicKey, secretKey } = boxKeyPairFromSeed(bytes(vector.seedHex));
            expect(encodeBase64(publicKey)).toBe(vector.publicKeyBase64);
            expect(hex(secretKey)).toBe(vector.secretKeyHex);
        },
    );
});

describe('a pairing response', () => {
    it.each(groups.pairingResponse.cases)('of kind $kind is sealed and opened', (vector) => {
        const sealed = seal(
            bytes(vector.plaintextHex),
            Buffer.from(vector.recipientPublicKeyBase64, 'base64'),
            randomness(vector),
        );
        expect(encodeBase64(sealed)).toBe(vector.responseBase64);
        expect(sealed.length).toBe(vector.length);
        expect(hex(open(sealed, bytes(vector.recipientSecretKeyHex)))).toBe(vector.plaintextHex);
    });

    it.each(groups.pairingResponse.cases.filter(({ kind }) => kind === 'terminal-v2'))(
        'version 2 carries the content public key of $accountSecretHex',
        (vector) => {
            const { publicKey } = contentKeyPair(bytes(vector.accountSecretHex));
            const terminal = terminalKeyPair(bytes(vector.recipientSecretKeyHex));
            const response = pairingResponseV2(publicKey, terminal.publicKey, randomness(vector));
            expect(response).toBe(vector.responseBase64);
            expect(hex(openPairingResponseV2(response, terminal.secretKey))).toBe(hex(publicKey));
        },
    );

    it('of version 1 is not mistaken for version 2', () => {
        const vector = groups.pairingResponse.cases.find(({ kind }) => kind === 'terminal-v1')!;
        expect(openPairingResponseV2(vector.responseBase64, bytes(vector.recipientSecretKeyHex))).toBeNull();
    });

    it.each(groups.pairingResponseOpen.cases)('$name', ({ recipientSecretKeyHex, responseBase64, expectHex }) => {
        expect(hex(open(Buffer.from(responseBase64, 'base64'), bytes(recipientSecretKeyHex)))).toBe(expectHex);
    });
});

describe('a data key', () => {
    it.each(groups.dataEncryptionKey.cases)('is wrapped to $contentPublicKeyHex', (vector) => {
        const content = contentKeyPair(bytes(vector.accountSecretHex));
        const wrapped = wrapDataKey(bytes(vector.dataKeyHex), content.publicKey, randomness(vector));
        expect(wrapped).toBe(vector.dataEncryptionKeyBase64);
        expect(hex(unwrapDataKey(wrapped, content.secretKey))).toBe(vector.dataKeyHex);
        expect(unwrapDataKey(wrapped, bytes(vector.dataKeyHex))).toBeNull();
    });

    const messages = groups.messageEncryption.cases.filter(({ variant }) => variant === 'dataKey');

    it.each(messages)('encrypts $plaintextJson', (vector) => {
        const value: unknown = JSON.parse(vector.plaintextJson);
        expect(encryptJson(value, bytes(vector.keyHex), bytes(vector.nonceHex))).toBe(vector.ciphertextBase64);
        expect(decryptJson(vector.ciphertextBase64, bytes(vector.keyHex))).toEqual(value);
    });

    it('opens nothing that another key encrypted or that was changed', () => {
        const key = bytes('11'.repeat(32));
        const encrypted = Buffer.from(encryptJson({ text: 'hello' }, key), 'base64');
        expect(decryptJson(encodeBase64(encrypted), bytes('22'.repeat(32)))).toBeNull();
        encrypted[20]! ^= 1;
        expect(decryptJson(encodeBase64(encrypted), key)).toBeNull();
        expect(decryptJson('', key)).toBeNull();
    });
});
