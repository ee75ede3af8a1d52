import { describe, expect, it } from 'vitest';
import { readOrientation, turn } from '@/storage/orientation';
import { decodePixels } from '@/storage/pixels';
import { image } from '@test/helpers/files';

/** Two rows of three pixels, whose red is their number. */
const picture = {
    width: 3,
    height: 2,
    data: Uint8ClampedArray.from([1, 2, 3, 4, 5, 6].flatMap((n) => [n, 0, 0, 255])),
};

/** The JPEG with EXIF data before the rest, as cameras put it. */
function withExif(orientation: number, little: boolean): Uint8Array {
    const tiff = new DataView(new ArrayBuffer(38));
    tiff.setUint16(0, little ? 0x4949 : 0x4d4d);
    tiff.setUint16(2, 42, little);
    tiff.setUint32(4, 8, little);
    tiff.setUint16(8, 2, little);
    // A list of two entries: the width, and how the picture lies.
    for (const [at, tag, value] of [
        [10, 0x0100, 40],
        [22, 0x0112, orientation],
    ] as const) {
        tiff.setUint16(at, tag, little);
        tiff.setUint16(at + 2, 3, little);
        tiff.setUint32(at + 4, 1, little);
        tiff.setUint16(at + 8, value, little);
    }
    const jpeg = image('jpeg');
    const segment = [0xff, 0xe1, 0, 8 + tiff.byteLength, ...Buffer.from('Exif\0\0'), ...new Uint8Array(tiff.buffer)];
    return Uint8Array.from([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}

describe('the orientation of a JPEG', () => {
    it.each([1, 2, 3, 4, 5, 6, 7, 8])('is read from its EXIF data: %i', (orientation) => {
        for (const little of [true, false]) expect(readOrientation(withExif(orientation, little))).toBe(orientation);
    });

    it('is upright without EXIF data, and with any part of it missing', () => {
        expect(readOrientation(image('jpeg'))).toBe(1);
        const whole = withExif(6, true);
        for (let length = 0; length < 44; length++) expect(readOrientation(whole.subarray(0, length))).toBe(1);
    });

    it('may point anywhere without reading beyond the picture', () => {
        const bytes = withExif(6, true);
        bytes.set([0xff, 0xff, 0xff, 0xff], 16);
        expect(readOrientation(bytes)).toBe(1);
    });
});

describe('a picture is set upright', () => {
    it.each([
        [1, 3, [1, 2, 3, 4, 5, 6]],
        [2, 3, [3, 2, 1, 6, 5, 4]],
        [3, 3, [6, 5, 4, 3, 2, 1]],
        [4, 3, [4, 5, 6, 1, 2, 3]],
        [5, 2, [1, 4, 2, 5, 3, 6]],
        [6, 2, [4, 1, 5, 2, 6, 3]],
        [7, 2, [6, 3, 5, 2, 4, 1]],
        [8, 2, [3, 6, 2, 5, 1, 4]],
        [9, 3, [1, 2, 3, 4, 5, 6]],
    ])('from orientation %i', (orientation, width, reds) => {
        const turned = turn(picture, orientation);
        expect([turned.width, turned.height]).toEqual([width, 6 / width]);
        expect([...turned.data].filter((_, i) => i % 4 === 0)).toEqual(reds);
    });

    it('when it is decoded', async () => {
        const { width, height } = await decodePixels(withExif(6, false), 'image/jpeg', 40);
        expect([width, height]).toEqual([24, 40]);
    });
});

describe('a JPEG is decoded as small as it may be', () => {
    it.each([
        [40, 40, 24],
        [21, 40, 24],
        [20, 20, 12],
        [10, 10, 6],
        [5, 5, 3],
        [1, 5, 3],
    ])('with its longer side %i pixels or more', async (side, width, height) => {
        const pixels = await decodePixels(image('jpeg'), 'image/jpeg', side);
        expect(pixels).toMatchObject({ width, height });
        // Black at the top left, red to the right, green to the bottom.
        expect(pixels.data.length).toBe(width * height * 4);
        const [left, right] = [pixels.data[0], pixels.data[(width - 1) * 4]] as [number, number];
        expect(right - left).toBeGreaterThan(150);
    });
});
