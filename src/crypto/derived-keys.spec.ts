import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '@/crypto/base64';
import { DerivedKeysError, parseDerivedKeys } from '@/crypto/derived-keys';

const MASTER_SECRET = 'test-master-secret';
const FINGERPRINT = '649a001f4aef7ccd';
const BYTES = Uint8Array.from({ length: 128 }, (_, index) => index);
const DERIVED = `v1.${FINGERPRINT}.${encodeBase64(BYTES)}`;

describe('parseDerivedKeys', () => {
    it('splits the bytes into the three keys', async () => {
        const keys = await parseDerivedKeys(DERIVED, MASTER_SECRET);
        expect(keys.loginSeed).toEqual(BYTES.slice(0, 32));
        expect(keys.githubStateSeed).toEqual(BYTES.slice(32, 64));
        expect(keys.keyTree).toEqual(BYTES.slice(64));
    });

    it.each([`${MASTER_SECRET}\n`, ` ${MASTER_SECRET}`, 'Test-master-secret', ''])(
        'refuses keys of another master secret than %j',
        async (masterSecret) => {
            const failure = parseDerivedKeys(DERIVED, masterSecret);
            await expect(failure).rejects.toBeInstanceOf(DerivedKeysError);
            await expect(failure).rejects.toHaveProperty('problem', 'other-master-secret');
        },
    );

    it.each([
        ['nothing', ''],
        ['another version', DERIVED.replace('v1', 'v2')],
        ['no version', DERIVED.slice(3)],
        ['no fingerprint', `v1..${encodeBase64(BYTES)}`],
        ['an upper-case fingerprint', DERIVED.replace(FINGERPRINT, FINGERPRINT.toUpperCase())],
        ['a long fingerprint', DERIVED.replace(FINGERPRINT, `${FINGERPRINT}00`)],
        ['no keys', `v1.${FINGERPRINT}.`],
        ['127 bytes', `v1.${FINGERPRINT}.${encodeBase64(BYTES.slice(1))}`],
        ['129 bytes', `v1.${FINGERPRINT}.${encodeBase64(new Uint8Array(129))}`],
        ['no padding', DERIVED.replaceAll('=', '')],
        ['a trailing newline', `${DERIVED}\n`],
        ['a further part', `${DERIVED}.AA==`],
        ['no base64', `v1.${FINGERPRINT}.${'!'.repeat(172)}`],
    ])('refuses %s', async (_name, derived) => {
        const failure = parseDerivedKeys(derived, MASTER_SECRET);
        await expect(failure).rejects.toBeInstanceOf(DerivedKeysError);
        await expect(failure).rejects.toHaveProperty('problem', 'malformed');
    });

    it('does not leak keys or secret in its errors', async () => {
        const error: unknown = await parseDerivedKeys(DERIVED.slice(1), MASTER_SECRET).catch(
            (thrown: unknown) => thrown,
        );
        expect(String(error)).not.toContain(DERIVED.slice(30, 50));
        expect(String(error)).not.toContain(MASTER_SECRET);
    });
});
