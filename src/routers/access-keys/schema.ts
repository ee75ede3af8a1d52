import * as z from 'zod';
import { EncryptedText, Id, Time } from '@/utils/schema';

/** What a machine needs to work on a session, as callers see it (contract 4.4). */
export const AccessKey = z.object({ data: z.string(), dataVersion: z.int(), createdAt: Time, updatedAt: Time });
export type AccessKey = z.infer<typeof AccessKey>;

export const AccessKeyInput = z.object({ sessionId: Id, machineId: Id });
export type AccessKeyInput = z.infer<typeof AccessKeyInput>;

export const AccessKeyOutput = z.object({ accessKey: AccessKey.nullable() });

export const CreateAccessKeyInput = AccessKeyInput.extend({ data: EncryptedText });
export type CreateAccessKeyInput = z.infer<typeof CreateAccessKeyInput>;

export const CreateAccessKeyOutput = z.object({ success: z.literal(true), accessKey: AccessKey });

export const UpdateAccessKeyInput = AccessKeyInput.extend({ data: EncryptedText, expectedVersion: z.int().min(0) });
export type UpdateAccessKeyInput = z.infer<typeof UpdateAccessKeyInput>;

export const UpdateAccessKeyOutput = z.discriminatedUnion('success', [
    z.object({ success: z.literal(true), version: z.int() }),
    z.object({
        success: z.literal(false),
        error: z.literal('version-mismatch'),
        currentVersion: z.int(),
        currentData: z.string(),
    }),
]);
export type UpdateAccessKeyOutput = z.infer<typeof UpdateAccessKeyOutput>;
