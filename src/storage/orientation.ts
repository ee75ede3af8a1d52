import type { Pixels } from '@/storage/pixels';

const APP1 = 0xffe1;
const START_OF_SCAN = 0xffda;
const EXIF = 0x45786966;
const LITTLE_ENDIAN = 0x4949;
const ORIENTATION = 0x0112;

/** How a JPEG lies, as its EXIF data says: 1 to 8, of which 1 is upright; 1 where it says nothing. */
export function readOrientation(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
        for (let at = 2; view.getUint16(at) !== START_OF_SCAN; at += 2 + view.getUint16(at + 2)) {
            if (view.getUint16(at) !== APP1 || view.getUint32(at + 4) !== EXIF) continue;
            return orientationIn(bytes.subarray(at + 10, at + 2 + view.getUint16(at + 2)));
        }
    } catch {
        // It points past its own end.
    }
    return 1;
}

/** In TIFF's list of 12-byte entries. */
function orientationIn(segment: Uint8Array): number {
    const tiff = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
    const little = tiff.getUint16(0) === LITTLE_ENDIAN;
    const list = tiff.getUint32(4, little);
    for (let entry = list + 2, left = tiff.getUint16(list, little); left > 0; left--, entry += 12) {
        if (tiff.getUint16(entry, little) === ORIENTATION) return tiff.getUint16(entry + 8, little);
    }
    return 1;
}

/** The picture set upright. */
export function turn({ width, height, data }: Pixels, orientation: number): Pixels {
    const [swapsSides, fromRight, fromBottom] = [
        [5, 6, 7, 8].includes(orientation),
        [2, 3, 7, 8].includes(orientation),
        [3, 4, 6, 7].includes(orientation),
    ];
    const turned = { width: swapsSides ? height : width, height: swapsSides ? width : height };
    const to = new Uint8ClampedArray(data.length);
    for (let y = 0, at = 0; y < turned.height; y++) {
        for (let x = 0; x < turned.width; x++, at += 4) {
            const [column, row] = swapsSides ? [y, x] : [x, y];
            const from = (fromBottom ? height - 1 - row : row) * width + (fromRight ? width - 1 - column : column);
            to.set(data.subarray(from * 4, from * 4 + 4), at);
        }
    }
    return { ...turned, data: to };
}
