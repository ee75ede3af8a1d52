import { imageDimensionsFromData } from 'image-dimensions';

/** Pixels of an image as its header states them, before any rotation its EXIF data asks for. */
export interface ImageSize {
    width: number;
    height: number;
}

/** The size of an image, from its first bytes; null when they do not tell. */
export function readImageSize(head: Uint8Array): ImageSize | null {
    try {
        const size = imageDimensionsFromData(head);
        return size && size.width > 0 && size.height > 0 ? { width: size.width, height: size.height } : null;
    } catch {
        return null; // a header that points past its own end
    }
}
