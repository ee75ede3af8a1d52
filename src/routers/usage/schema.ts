import * as z from 'zod';
import { Id, Time, text } from '@/utils/schema';

/** Most kinds of tokens or cost in one report, and in one bucket of a sum. */
export const MAX_PARTS = 50;

/** Amounts by kind, `total` among them. */
const Amounts = z.record(text(64), z.number().min(0).max(Number.MAX_SAFE_INTEGER)).superRefine((amounts, ctx) => {
    if (!Object.hasOwn(amounts, 'total')) ctx.addIssue({ code: 'custom', path: ['total'], message: 'Must be given' });
    if (Object.keys(amounts).length > MAX_PARTS) {
        ctx.addIssue({ code: 'custom', message: `Must have at most ${MAX_PARTS} keys` });
    }
});

export const ReportUsageInput = z.object({
    /** What the report is about; a later one under the same key of the same session replaces it. */
    key: text(128, 1),
    sessionId: Id.nullish(),
    tokens: Amounts,
    cost: Amounts,
});
export type ReportUsageInput = z.infer<typeof ReportUsageInput>;

export const ReportUsageOutput = z.object({
    success: z.literal(true),
    reportId: z.string(),
    createdAt: Time,
    updatedAt: Time,
});

const Seconds = z.int().min(0);

export const QueryUsageInput = z.object({
    /** Only this session's reports. */
    sessionId: Id.nullish(),
    /** Unix seconds, inclusive. */
    startTime: Seconds.nullish(),
    /** Unix seconds, the whole second included. */
    endTime: Seconds.nullish(),
    groupBy: z
        .enum(['hour', 'day'])
        .nullish()
        .transform((value) => value ?? 'day'),
});
export type QueryUsageInput = z.infer<typeof QueryUsageInput>;

/** Sums of one hour or day in UTC; `timestamp` is its first second, Unix seconds (contract 4.5). */
const UsageBucket = z.object({
    timestamp: z.int(),
    tokens: z.record(z.string(), z.number()),
    cost: z.record(z.string(), z.number()),
    reportCount: z.int(),
});

export const QueryUsageOutput = z.object({
    usage: z.array(UsageBucket),
    groupBy: z.enum(['hour', 'day']),
    totalReports: z.int(),
});
