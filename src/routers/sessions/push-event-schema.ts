import * as z from 'zod';
import { Id, shortText } from '@/utils/schema';

/** Expo takes 4 KiB a notification in all; what is larger than this is surely no notification. */
const DATA_BYTES = 10_000;

export const PushEventInput = z
    .object({
        id: Id,
        kind: z.enum(['done', 'permission', 'question']),
        title: shortText(200, 1),
        body: shortText(500, 1),
        /** Handed to the app with the notification. */
        data: z
            .record(z.string(), z.unknown())
            .refine(
                (data) => Buffer.byteLength(JSON.stringify(data)) <= DATA_BYTES,
                `Must be at most ${DATA_BYTES} bytes`,
            )
            .nullish(),
    })
    .meta({ examples: [{ kind: 'done', title: 'Claude is done', body: 'Refactored the parser' }] });
export type PushEventInput = z.infer<typeof PushEventInput>;

/** What became of a notification (contract 4.2, 13). */
export const PushEventOutput = z.object({
    success: z.literal(true),
    result: z.enum(['sent', 'partial', 'suppressed', 'no_tokens', 'failed']),
    /** Devices that are registered. */
    tokens: z.int(),
    /** Devices for which Expo took the notification. */
    delivered: z.int(),
    reason: z.string().optional(),
});
export type PushEventOutput = z.infer<typeof PushEventOutput>;
