import type { InferSelectModel } from 'drizzle-orm';
import type { uploadedFiles } from '@/db/schema';
import type { UploadedFile } from '@/routers/uploads/schema';

/** A row of `UploadedFile`. */
export type FileRow = InferSelectModel<typeof uploadedFiles>;

/** A stored file as its owner sees it; rows of a Node server know less of theirs. */
export function toFile(row: FileRow): UploadedFile {
    const { accountId: _, ...facts } = row;
    return {
        ...facts,
        originalName: row.originalName ?? row.path.split('/').at(-1) ?? row.path,
        contentType: row.contentType ?? 'application/octet-stream',
        size: row.size ?? 0,
    };
}
