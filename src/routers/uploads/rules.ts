import type { UploadCategory } from '@/db/schema';
import { ServiceError } from '@/errors';
import { documentTypes, imageTypes } from '@/storage/content-type';
import type { FileType } from '@/storage/content-type';

const MIB = 1024 * 1024;

/** What a category takes (contract 4.7, 13). */
export interface CategoryRule {
    /** Bytes. */
    limit: number;
    /** The limit as people are told it. */
    limitText: string;
    types: readonly FileType[];
    /** Its files are there to be shown: an image that cannot be is refused. */
    isShown?: boolean;
}

/** The rule of each category; `files` ends where Cloudflare's edge ends. */
export const categoryRules: Record<UploadCategory, CategoryRule> = {
    avatars: { limit: 5 * MIB, limitText: '5MB', types: imageTypes, isShown: true },
    documents: { limit: 50 * MIB, limitText: '50MB', types: documentTypes },
    files: { limit: 100_000_000, limitText: '100MB', types: [...imageTypes, ...documentTypes] },
};

/** What of a file a rule is about. */
interface CheckedFile {
    size: number;
    contentType: FileType;
    isCutShort: boolean;
}

/**
 * Holds a file against its category's rule.
 * @throws PAYLOAD_TOO_LARGE or VALIDATION_FAILED
 */
export function checkRule({ limit, limitText, types, isShown }: CategoryRule, file: CheckedFile): void {
    if (!types.includes(file.contentType)) {
        throw new ServiceError('VALIDATION_FAILED', 'File type not allowed', [
            { path: 'file', message: `This category takes ${types.join(', ')}` },
        ]);
    }
    if (file.size > limit) throw tooLarge(limitText);
    if (isShown && file.isCutShort) {
        throw new ServiceError('VALIDATION_FAILED', 'The image is cut short', [
            { path: 'file', message: 'Its header does not tell its size' },
        ]);
    }
}

/** What is told of a file past its limit. */
export function tooLarge(limitText: string): ServiceError {
    return new ServiceError('PAYLOAD_TOO_LARGE', `File too large (max ${limitText})`);
}
