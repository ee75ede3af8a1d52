import initPngDecoder, { decode as decodePng } from '@jsquash/png/codec/pkg/squoosh_png.js';
import * as png from '@jsquash/png/codec/pkg/squoosh_png_bg.wasm';
import { decodeJpeg } from '@/storage/jpeg';
import { readOrientation, turn } from '@/storage/orientation';

/** The package types its module as a bundler for browsers would load it. */
const pngModule = (png as unknown as { default: WebAssembly.Module }).default;

/** A decoded picture: four bytes a pixel, row by row. */
export interface Pixels {
    width: number;
    height: number;
    data: Uint8ClampedArray;
}

/**
 * Decodes a PNG or JPEG, the latter turned the way its EXIF data says, and smaller where it is larger than `side` pixels.
 * @throws for bytes that are no such picture
 */
export async function decodePixels(bytes: Uint8Array, type: 'image/png' | 'image/jpeg', side: number): Promise<Pixels> {
    if (type === 'image/jpeg') return turn(decodeJpeg(bytes, side), readOrientation(bytes));
    // The decoder makes its result with this class of browsers, which workerd lacks.
    if (!('ImageData' in globalThis)) Object.assign(globalThis, { ImageData: PlainImageData });
    await initPngDecoder(pngModule);
    return decodePng(bytes) as Pixels;
}

class PlainImageData implements Pixels {
    constructor(
        readonly data: Uint8ClampedArray,
        readonly width: number,
        readonly height: number,
    ) {}
}
