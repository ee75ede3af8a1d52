import { rgbaToThumbHash } from 'thumbhash';
import { encodeBase64 } from '@/crypto/base64';
import type { Pixels } from '@/storage/pixels';

/** Larger pictures get no thumbhash: decoding a PNG costs about 20 ms of CPU and 4 MB of memory per million pixels. */
const MAX_PIXELS = 1024 * 1024;
const MAX_BYTES = 4 * 1024 * 1024;

/** The algorithm takes at most 100 by 100 pixels, and says no more with more of them. */
const SIDE = 64;

/** True for a picture of which `thumbhash` can make one: PNG or JPEG of bounded size. */
export function canThumbhash(file: { contentType: string; size: number; width: number | null; height: number | null }) {
    const { contentType, size, width, height } = file;
    const pixels = (width ?? Infinity) * (height ?? Infinity);
    return isDecodable(contentType) && size <= MAX_BYTES && pixels <= MAX_PIXELS;
}

/**
 * The thumbhash of a picture, base64: some 25 bytes from which clients paint a blurred placeholder. Null for a picture
 * that does not decode.
 */
export async function thumbhash(bytes: Uint8Array, contentType: string): Promise<string | null> {
    if (!isDecodable(contentType)) return null;
    // The decoders are WebAssembly, which only a Worker's build can load: scripts in Node import this file too.
    const { decodePixels } = await import('@/storage/pixels');
    try {
        const { width, height, data } = shrink(await decodePixels(bytes, contentType, SIDE));
        return encodeBase64(rgbaToThumbHash(width, height, data));
    } catch {
        return null;
    }
}

function isDecodable(type: string): type is 'image/png' | 'image/jpeg' {
    return type === 'image/png' || type === 'image/jpeg';
}

/** The picture with its longer side at most `SIDE` pixels; each pixel is the mean of those it stands for. */
function shrink({ width, height, data }: Pixels): Pixels {
    const scale = Math.max(width, height) / SIDE;
    if (scale <= 1) return { width, height, data };
    const small = { width: Math.max(1, Math.round(width / scale)), height: Math.max(1, Math.round(height / scale)) };
    const sums = new Float64Array(small.width * small.height * 4);
    const counts = new Uint32Array(small.width * small.height);
    for (let y = 0, from = 0; y < height; y++) {
        const row = Math.floor((y * small.height) / height) * small.width;
        for (let x = 0; x < width; x++, from += 4) {
            const to = row + Math.floor((x * small.width) / width);
            for (let channel = 0; channel < 4; channel++) {
                sums[to * 4 + channel] = (sums[to * 4 + channel] ?? 0) + (data[from + channel] ?? 0);
            }
            counts[to] = (counts[to] ?? 0) + 1;
        }
    }
    return { ...small, data: Uint8ClampedArray.from(sums, (sum, i) => sum / (counts[i >> 2] ?? 1)) };
}
