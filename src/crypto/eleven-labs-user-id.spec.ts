import { expect, it } from 'vitest';
import { deriveElevenLabsUserId } from '@/crypto/eleven-labs-user-id';
import { groups, masterSecret } from '@test/fixtures/vectors/privacy-kit';

it.each(groups.elevenLabsUserId.cases)('vector elevenLabsUserId $secret $userId', async (vector) => {
    expect(await deriveElevenLabsUserId(masterSecret(vector.secret), vector.userId)).toBe(vector.output);
});
