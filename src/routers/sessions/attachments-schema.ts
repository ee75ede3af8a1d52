import * as z from 'zod';
import { Id, text } from '@/utils/schema';

export const RequestAttachmentUploadInput = z.object({
    id: Id,
    /** Accepted for the clients that send it; nothing reads it, and it can tell of a user's secrets, so it is not kept. */
    filename: text(4096),
    /** Bytes. */
    size: z.int().min(0),
});
export type RequestAttachmentUploadInput = z.infer<typeof RequestAttachmentUploadInput>;

export const RequestAttachmentUploadOutput = z.object({
    /** What messages name the attachment by. */
    ref: z.string(),
    /** Absolute; needs the bearer token. */
    uploadUrl: z.string(),
    method: z.literal('PUT'),
});

export const RequestAttachmentDownloadInput = z.object({ id: Id, ref: text(512) });
export type RequestAttachmentDownloadInput = z.infer<typeof RequestAttachmentDownloadInput>;

export const RequestAttachmentDownloadOutput = z.object({
    /** Absolute; needs the bearer token. */
    downloadUrl: z.string(),
});

/** An attachment as its address names it. */
export interface AttachmentInput {
    /** The session's. */
    id: string;
    file: string;
}
