import { thumbHashToAverageRGBA } from 'thumbhash';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '@/crypto/base64';
import { canThumbhash, thumbhash } from '@/storage/thumbhash';
import { image } from '@test/helpers/files';

describe('a thumbhash', () => {
    it.each(['png', 'jpeg'] as const)('of a %s says what colours the picture has', async (type) => {
        const hash = decodeBase64((await thumbhash(image(type), `image/${type}`)) ?? '');
        expect(hash?.length).toBeGreaterThan(10);
        // The picture goes from black to red and green, on a blue of 96 throughout.
        const { r, g, b, a } = thumbHashToAverageRGBA(hash as Uint8Array);
        for (const [value, mean] of [
            [r, 0.49],
            [g, 0.48],
            [b, 0.38],
        ] as const)
            expect(value).toBeCloseTo(mean, 1);
        expect(a).toBe(1);
    });

    it('is none for what does not decode, and the next picture gets its own all the same', async () => {
        for (const type of ['png', 'jpeg'] as const) {
            const whole = image(type);
            expect(await thumbhash(whole.subarray(0, 30), `image/${type}`)).toBeNull();
            expect(await thumbhash(new Uint8Array(1000), `image/${type}`)).toBeNull();
            expect(await thumbhash(whole, `image/${type}`)).not.toBeNull();
        }
    });

    it('is none for other types', async () => {
        expect(await thumbhash(image('gif'), 'image/gif')).toBeNull();
    });
});

describe('only pictures of bounded size are decoded', () => {
    const picture = { contentType: 'image/png', size: 1000, width: 1024, height: 1024 };

    it('up to 1024 by 1024 pixels and 4 MiB', () => {
        expect(canThumbhash(picture)).toBe(true);
        expect(canThumbhash({ ...picture, size: 4 * 1024 * 1024 })).toBe(true);
        expect(canThumbhash({ ...picture, contentType: 'image/jpeg' })).toBe(true);
    });

    it.each([{ width: 1025 }, { size: 4 * 1024 * 1024 + 1 }, { width: null }, { contentType: 'image/webp' }])(
        'not %j',
        (change) => {
            expect(canThumbhash({ ...picture, ...change })).toBe(false);
        },
    );
});
