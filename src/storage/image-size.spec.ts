import { describe, expect, it } from 'vitest';
import { readImageSize } from '@/storage/image-size';
import { image } from '@test/helpers/files';

describe('the size of an image', () => {
    it.each(['png', 'jpeg', 'gif', 'webp'] as const)('is read from the header of a %s', (type) => {
        expect(readImageSize(image(type))).toEqual({ width: 40, height: 24 });
    });

    it.each(['png', 'jpeg', 'gif', 'webp'] as const)(
        'is read or not, but nothing breaks, wherever a %s is cut',
        (type) => {
            const whole = image(type);
            for (let length = 0; length < whole.length; length++) {
                expect([{ width: 40, height: 24 }, null]).toContainEqual(readImageSize(whole.subarray(0, length)));
            }
            expect(readImageSize(whole.subarray(0, 8))).toBeNull();
        },
    );

    it('is unknown when the header says zero', () => {
        const empty = image('gif').fill(0, 6, 10);
        expect(readImageSize(empty)).toBeNull();
    });
});
