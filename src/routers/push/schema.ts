import * as z from 'zod';
import { Time, text } from '@/utils/schema';

export const PushTokenInput = z.object({ token: text(512, 1) });
export type PushTokenInput = z.infer<typeof PushTokenInput>;

export const ListPushTokensInput = z.object({});

export const ListPushTokensOutput = z.object({
    tokens: z.array(z.object({ id: z.string(), token: z.string(), createdAt: Time, updatedAt: Time })),
});

export const SuccessOutput = z.object({ success: z.literal(true) });
