import * as z from 'zod';
import { OutsideError, callOutside } from '@/integrations/call';
import type { IntegrationsConfig } from '@/integrations/config';

/** A notification for one device. */
export interface PushMessage {
    to: string;
    title: string;
    body: string;
    data: Record<string, unknown>;
    sound: 'default';
    channelId: string;
    priority: 'high';
}

/** What became of one notification: Expo took it, with the id of its receipt, or said why not. */
export type PushTicket = { id: string } | { error: string };

/** Expo's word for a device that is gone. */
export const DEVICE_GONE = 'DeviceNotRegistered';

/** Most notifications of one call. */
const BATCH = 100;
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 250;
/** A longer wait than this is not worth the caller's time. */
const LONGEST_PAUSE_MS = 2000;

const Failure = z.object({ status: z.literal('error'), details: z.object({ error: z.string().optional() }).nullish() });
const TicketsReply = z.object({
    data: z.array(
        z.discriminatedUnion('status', [z.object({ status: z.literal('ok'), id: z.string().max(128) }), Failure]),
    ),
});
const ReceiptsReply = z.object({
    data: z.record(z.string(), z.discriminatedUnion('status', [z.object({ status: z.literal('ok') }), Failure])),
});

/** Sends notifications, 100 a call. One ticket per message, in order; a batch that failed as a whole says so in each. */
export async function sendPush(config: IntegrationsConfig, messages: PushMessage[]): Promise<PushTicket[]> {
    const batches = Array.from({ length: Math.ceil(messages.length / BATCH) }, (_, i) =>
        messages.slice(i * BATCH, (i + 1) * BATCH),
    );
    const tickets = await Promise.all(batches.map((batch) => sendBatch(config, batch)));
    return tickets.flat();
}

async function sendBatch(config: IntegrationsConfig, batch: PushMessage[]): Promise<PushTicket[]> {
    try {
        const { data } = await post(config, 'send', batch, TicketsReply);
        return batch.map((_, i) => {
            const ticket = data[i];
            if (ticket?.status === 'ok') return { id: ticket.id };
            return { error: ticket?.details?.error ?? 'Unknown' };
        });
    } catch (error) {
        const reason = error instanceof OutsideError ? error.message : 'Unknown';
        return batch.map(() => ({ error: reason }));
    }
}

/**
 * Those of the receipts that are there, by id: null, or Expo's word for what went wrong.
 * @throws OutsideError
 */
export async function fetchReceipts(config: IntegrationsConfig, ids: string[]): Promise<Map<string, string | null>> {
    const { data } = await post(config, 'getReceipts', { ids }, ReceiptsReply);
    return new Map(
        Object.entries(data).map(([id, receipt]) => [
            id,
            receipt.status === 'ok' ? null : (receipt.details?.error ?? 'Unknown'),
        ]),
    );
}

/** Posts, and again a little later when Expo is overloaded. A call that timed out may have been heard: no second one. */
async function post<Reply>(
    config: IntegrationsConfig,
    path: string,
    body: unknown,
    reply: z.ZodType<Reply>,
): Promise<Reply> {
    const { timeoutMs, expo } = config;
    for (let attempt = 1; ; attempt++) {
        try {
            return await callOutside({
                service: 'Expo',
                url: new URL(`${expo.url}/--/api/v2/push/${path}`),
                init: {
                    method: 'POST',
                    headers: {
                        Accept: 'application/json',
                        'Content-Type': 'application/json',
                        ...(expo.accessToken !== undefined && { Authorization: `Bearer ${expo.accessToken}` }),
                    },
                    body: JSON.stringify(body),
                },
                timeoutMs,
                reply,
            });
        } catch (error) {
            const pause = attempt < ATTEMPTS ? pauseAfter(error, attempt) : null;
            if (pause === null) throw error;
            await new Promise((resolve) => setTimeout(resolve, pause));
        }
    }
}

function pauseAfter(error: unknown, attempt: number): number | null {
    if (!(error instanceof OutsideError)) return null;
    const { status = 0, retryAfterMs = 0 } = error.facts;
    if (status !== 429 && status < 500) return null;
    const pause = Math.max(retryAfterMs, FIRST_PAUSE_MS * 2 ** (attempt - 1));
    return pause <= LONGEST_PAUSE_MS ? pause : null;
}
