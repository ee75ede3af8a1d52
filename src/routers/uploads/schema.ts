import * as z from 'zod';
import { uploadCategories } from '@/db/schema';
import { AVATAR_REUSE_KEY } from '@/routers/account/avatar';
import { Id, Time, pageSize, text } from '@/utils/schema';

const Category = z.enum(uploadCategories);

/** A stored file's facts (contract 4.7). Size in bytes, width and height in pixels; null for what is unknown. */
export const UploadedFile = z
    .object({
        id: z.string(),
        /** A logical name, unique within the account; where the bytes are is the server's business. */
        path: z.string(),
        category: Category.nullable(),
        originalName: z.string(),
        /** As the bytes say. */
        contentType: z.string(),
        size: z.int(),
        width: z.int().nullable(),
        height: z.int().nullable(),
        /** Base64; made a moment after the upload. */
        thumbhash: z.string().nullable(),
        reuseKey: z.string().nullable(),
        createdAt: Time,
        updatedAt: Time,
    })
    .meta({ id: 'UploadedFile' });
export type UploadedFile = z.infer<typeof UploadedFile>;

export const FileIdInput = z.object({ id: Id });
export type FileIdInput = z.infer<typeof FileIdInput>;

export const FileOutput = z.object({ file: UploadedFile });

export const ListFilesInput = z.object({
    category: Category.nullish(),
    limit: pageSize(200, 50),
    cursor: z.string().nullish(),
});
export type ListFilesInput = z.infer<typeof ListFilesInput>;

export const ListFilesOutput = z.object({
    files: z.array(UploadedFile),
    nextCursor: z.string().nullable(),
    hasNext: z.boolean(),
});

export const SuccessOutput = z.object({ success: z.literal(true) });

/** What a client says about a file beside its bytes: form fields, or the query of the raw door. */
export const UploadOptions = z.object({
    category: Category.nullish().transform((category) => category ?? 'files'),
    /** The client's own name for the content: uploading under a known one gives back the stored file. */
    reuseKey: text(255, 1)
        .refine((key) => key !== AVATAR_REUSE_KEY, "This key is the avatar's: use POST /v1/uploads/avatar")
        .nullish(),
});
export type UploadOptions = z.infer<typeof UploadOptions>;

export const UploadOutput = z.object({ success: z.literal(true), file: UploadedFile });

/** An account's new picture; `url` is signed and needs no token. */
export const UploadAvatarOutput = z.object({
    success: z.literal(true),
    avatar: z.object({
        id: z.string(),
        path: z.string(),
        url: z.string(),
        contentType: z.string(),
        size: z.int(),
        width: z.int().nullable(),
        height: z.int().nullable(),
        thumbhash: z.string().nullable(),
    }),
});
