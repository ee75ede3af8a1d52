import * as z from 'zod';
import { text } from '@/utils/schema';

export const ClientLogInput = z.object({
    timestamp: text(64),
    level: text(16),
    message: text(16_384),
    source: z.enum(['mobile', 'cli']),
    platform: text(64).nullish(),
});
export type ClientLogInput = z.infer<typeof ClientLogInput>;

export const ClientLogOutput = z.object({ success: z.literal(true) });
