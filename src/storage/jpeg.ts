import jpegTurbo from '@cwasm/jpeg-turbo/jpeg-turbo.wasm';
import type { Pixels } from '@/storage/pixels';

/** What the package's WebAssembly offers of TurboJPEG; pointers and sizes are plain numbers. */
interface TurboJpeg {
    memory: WebAssembly.Memory;
    malloc(bytes: number): number;
    tjInitDecompress(): number;
    tjDecompressHeader3(decoder: number, from: number, size: number, ...facts: number[]): number;
    tjDecompress2(decoder: number, from: number, size: number, to: number, ...shape: number[]): number;
}

const RGBA = 7;

/** Sides are reduced to a half, a quarter or an eighth while decoding, which then costs a fraction. */
const SCALES = [8, 4, 2];

/**
 * Decodes a JPEG, as small as it can be with its longer side still `side` pixels or more. Not turned as its EXIF data says.
 * @throws for bytes that are no JPEG
 */
export function decodeJpeg(bytes: Uint8Array, side: number): Pixels {
    // A new instance each time: its memory goes with it, and what a broken picture leaves behind too.
    const { memory, malloc, ...turbo } = new WebAssembly.Instance(jpegTurbo, imports).exports as unknown as TurboJpeg;
    const from = malloc(bytes.byteLength);
    new Uint8Array(memory.buffer).set(bytes, from);
    const decoder = turbo.tjInitDecompress();

    const facts = malloc(16);
    const header = turbo.tjDecompressHeader3(decoder, from, bytes.byteLength, facts, facts + 4, facts + 8, facts + 12);
    const [fullWidth = 0, fullHeight = 0] = new Uint32Array(memory.buffer, facts, 2);
    if (header !== 0) throw new Error('Not a JPEG');

    const scale = SCALES.find((divisor) => Math.max(fullWidth, fullHeight) >= side * divisor) ?? 1;
    const [width, height] = [Math.ceil(fullWidth / scale), Math.ceil(fullHeight / scale)];
    const size = width * height * 4;
    const to = malloc(size);
    const status = turbo.tjDecompress2(decoder, from, bytes.byteLength, to, width, width * 4, height, RGBA, 0);
    if (status !== 0) throw new Error('A broken JPEG');
    return { width, height, data: new Uint8ClampedArray(memory.buffer.slice(to, to + size)) };
}

const refuse = () => {
    throw new Error('Not in a Worker');
};

/** The decoder asks for an environment variable or two; its errors jump, which ends the instance. */
const imports = {
    env: { setjmp: () => 0, longjmp: refuse },
    wasi_snapshot_preview1: {
        environ_sizes_get: () => 0,
        environ_get: refuse,
        proc_exit: refuse,
        fd_close: refuse,
        fd_seek: refuse,
        fd_write: refuse,
    },
};
