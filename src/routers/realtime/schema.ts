import * as z from 'zod';
import { Id, Time, json, shortText } from '@/utils/schema';

export const NoInput = z.object({});

export const TicketOutput = z.object({ ticket: z.string() });

export const StatsOutput = z.object({
    totalConnections: z.int(),
    byType: z.object({ 'user-scoped': z.int(), 'session-scoped': z.int(), 'machine-scoped': z.int() }),
    activeSessions: z.int(),
    activeMachines: z.int(),
    /** Unix ms; null without connections. */
    oldestConnection: Time.nullable(),
});

/** Most bytes of a payload as JSON: a frame holds 1 MiB. */
const MAX_PAYLOAD_BYTES = 1_000_000;

/** Kinds of events that only the server makes (contract 4.7). */
const RESERVED = ['update', 'ephemeral'];

export const BroadcastInput = z.object({
    message: z.object({
        type: shortText(64, 1).refine((type) => !RESERVED.includes(type), 'Reserved for the server'),
        payload: json(MAX_PAYLOAD_BYTES).nullish(),
        timestamp: Time.nullish(),
    }),
    filter: z
        .discriminatedUnion('type', [
            z.object({ type: z.literal('all') }),
            z.object({ type: z.literal('user-scoped-only') }),
            z.object({ type: z.literal('session'), sessionId: Id }),
            z.object({ type: z.literal('machine'), machineId: Id }),
            z.object({ type: z.literal('exclude'), connectionId: Id }),
        ])
        .nullish(),
});
export type BroadcastInput = z.infer<typeof BroadcastInput>;

export const BroadcastOutput = z.object({ success: z.literal(true), delivered: z.int() });
