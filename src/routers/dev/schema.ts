import * as z from 'zod';
import { text } from '@/utils/schema';

export const ClientLogInput = z
    .object({
        timestamp: text(64),
        level: text(16),
        message: text(16_384),
        source: z.enum(['mobile', 'cli']),
        platform: text(64).nullish(),
    })
    .meta({
        example: {
            timestamp: '2024-01-15T10:30:00.000Z',
            level: 'info',
            message: 'User action completed',
            source: 'mobile',
            platform: 'ios',
        },
    });
export type ClientLogInput = z.infer<typeof ClientLogInput>;

export const ClientLogOutput = z.object({ success: z.literal(true) });
