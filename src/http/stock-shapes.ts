/** Shapes that stock clients check by strict schemas, on REST and on sockets alike (contract 1). */

/** Their image names all of its facts; what is unknown is nothing rather than null. */
export function stockImage<Image extends object>(image: Image | null) {
    if (image === null) return null;
    const { width, height, thumbhash, ...rest } = image as Image &
        Partial<Record<'width' | 'height' | 'thumbhash', unknown>>;
    return { ...rest, width: width ?? 0, height: height ?? 0, thumbhash: thumbhash ?? '' };
}

/** Their GitHub profile always names its email. */
export function stockGithub<GitHub extends object>(github: GitHub | null) {
    return github && { email: null, ...github };
}

/** They read a feed item's number from the third character of its cursor on. */
export function stockCursor(cursor: string): string {
    return cursor.replace('cursor_', '0-');
}
