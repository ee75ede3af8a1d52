import type { TrackedEnvelope } from '@trpc/server';
import * as z from 'zod';
import type { RealtimeEvent } from '@/realtime/follow';
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

/**
 * Everything of the account, or what concerns one session or machine, from now on or after an event (contract 8). Without
 * a scope it is what the caller's socket is there for, if that is session- or machine-scoped.
 */
export const UpdatesInput = z
    .object({
        scope: z.enum(['user', 'session', 'machine']).nullish(),
        /** Of the session or machine. */
        id: Id.nullish(),
        /** What came with the last event that was seen. */
        lastEventId: shortText(64).nullish(),
    })
    .nullish()
    .transform((input) => input ?? {})
    .refine(({ scope, id }) => (scope ?? 'user') === 'user' || id != null, {
        message: 'Required for this scope',
        path: ['id'],
    });
export type UpdatesInput = z.infer<typeof UpdatesInput>;

/** A subscription's output is a stream; its events are the hub's own, which need no check. */
export const UpdatesOutput = z.custom<AsyncIterable<TrackedEnvelope<RealtimeEvent>, void, unknown>>();
