import createJpegDecoder from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import jpegModule from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm';
import initPngDecoder, { decode as decodePng } from '@jsquash/png/codec/pkg/squoosh_png.js';
import * as png from '@jsquash/png/codec/pkg/squoosh_png_bg.wasm';

/** The package types its module as a bundler for browsers would load it. */
const pngModule = (png as unknown as { default: WebAssembly.Module }).default;

/** A decoded picture: four bytes a pixel, row by row. */
export interface Pixels {
    width: number;
    height: number;
    data: Uint8ClampedArray;
}

/**
 * Decodes a whole PNG or JPEG, the latter turned the way its EXIF data says.
 * @throws for bytes that are no such picture
 */
export async function decodePixels(bytes: Uint8Array, type: 'image/png' | 'image/jpeg'): Promise<Pixels> {
    // Both decoders make their result with this class of browsers, which workerd lacks.
    if (!('ImageData' in globalThis)) Object.assign(globalThis, { ImageData: PlainImageData });
    if (type === 'image/png') {
        await initPngDecoder(pngModule);
        return decodePng(bytes) as Pixels;
    }
    // A new instance each time: a broken picture ends the one it was given to.
    const decoder = await createJpegDecoder({
        noInitialRun: true,
        printErr: () => {},
        instantiateWasm(imports: WebAssembly.Imports, use: (instance: WebAssembly.Instance) => void) {
            const instance = new WebAssembly.Instance(jpegModule, imports);
            use(instance);
            return instance.exports;
        },
    });
    const picture = decoder.decode(bytes, true);
    if (!picture) throw new Error('Not a JPEG');
    return picture as Pixels;
}

class PlainImageData implements Pixels {
    constructor(
        readonly data: Uint8ClampedArray,
        readonly width: number,
        readonly height: number,
    ) {}
}
