import { describe, expect, it } from 'vitest';
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from '@/crypto/base64';
import { encodeHex, encodeHexUpper } from '@/crypto/hex';
import { fromHex, groups } from '@test/fixtures/vectors/privacy-kit';

describe('encoding', () => {
    it.each(groups.formatsEncode.cases)('vector formatsEncode "$bytesHex"', (vector) => {
        const bytes = fromHex(vector.bytesHex);
        expect(encodeBase64(bytes)).toBe(vector.base64);
        expect(encodeHexUpper(bytes)).toBe(vector.privacyKitHex);
        expect(encodeHex(bytes)).toBe(vector.bytesHex);
        // privacy-kit pads base64url; JWS, and so this server, does not.
        expect(encodeBase64Url(bytes)).toBe(vector.base64url.replaceAll('=', ''));
        expect(decodeBase64(vector.base64)).toEqual(bytes);
        expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes);
    });

    it('encodes a part of a larger buffer', () => {
        const part = fromHex('000102030405').subarray(2, 4);
        expect(encodeBase64(part)).toBe('AgM=');
        expect(encodeBase64Url(part)).toBe('AgM');
        expect(encodeHexUpper(part)).toBe('0203');
    });
});

describe('decodeBase64', () => {
    // privacy-kit also takes some other spellings of the same bytes; of those this decoder takes none.
    it.each(groups.formatsDecodeBase64.cases)('vector formatsDecodeBase64 $input', ({ input, bytesHex }) => {
        const expected = bytesHex === null ? null : fromHex(bytesHex);
        const canonical = expected !== null && encodeBase64(expected) === input;
        expect(decodeBase64(input)).toEqual(canonical ? expected : null);
    });

    it.each([' AA==', 'AA==\n', 'AA==AA==', 'AAA', '-_-_', '-_8=', 'AB==', 'AAB=', '\0AAA', 'AA\0=', '🔐', '=AAA'])(
        'refuses %j',
        (text) => {
            expect(decodeBase64(text)).toBeNull();
        },
    );

    it('gives bytes with a buffer of their own', () => {
        const bytes = decodeBase64('AAEC');
        expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
        expect(bytes?.buffer.byteLength).toBe(3);
    });

    it('round-trips every length and byte value', () => {
        for (let length = 0; length < 300; length++) {
            const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) & 255);
            expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
            expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes);
        }
    });
});

describe('decodeBase64Url', () => {
    it.each(['AA==', 'AAA=', '+/+/', 'AB', 'AAB', 'A', 'AAAAA', ' AA', 'AA\n', 'AA AA', 'A.A', 'Ä'])(
        'refuses %j',
        (text) => {
            expect(decodeBase64Url(text)).toBeNull();
        },
    );

    it('takes the URL alphabet', () => {
        expect(decodeBase64Url('-_-_')).toEqual(fromHex('fbffbf'));
    });
});
