import { and, asc, desc, eq, lt, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { jsonRows, writeBatch } from '@/db/batch';
import type { Db } from '@/db/client';
import { accountPushTokens, pushTickets } from '@/db/schema';
import { describeForLog } from '@/errors';
import type { PushMessage } from '@/integrations/expo';
import { DEVICE_GONE, fetchReceipts, sendPush } from '@/integrations/expo';

/** Most devices of an account that are notified: ten calls to Expo. */
const MAX_DEVICES = 1000;
/** Expo asks to wait so long for receipts, and keeps them for a day. */
const RECEIPT_AFTER_MS = 15 * 60_000;
const RECEIPT_KEPT_MS = 24 * 60 * 60_000;
/** Receipts asked for in one call. */
const MAX_RECEIPTS = 300;
/** Anything else would make Expo refuse the whole batch. */
const EXPO_TOKEN = /^Expo(?:nent)?PushToken\[[^\]]+\]$|^[a-z\d]{8}-(?:[a-z\d]{4}-){3}[a-z\d]{12}$/i;

/** What became of a notification: for how many devices, and how many of them Expo took it for (contract 4.2). */
export interface Delivery {
    result: 'sent' | 'partial' | 'no_tokens' | 'failed';
    tokens: number;
    delivered: number;
    /** Expo's words for what went wrong, or this server's when Expo could not be asked. */
    reason?: string;
}

interface SentTo {
    token: string;
    createdAt: number;
}

/** A notification that Expo took, waiting for its receipt. */
export interface PendingTicket extends SentTo {
    id: string;
}

/** Reads in a batch the devices to notify, those in use last first. */
export function selectDevices(db: Db, accountId: string) {
    return db
        .select({ token: accountPushTokens.token })
        .from(accountPushTokens)
        .where(eq(accountPushTokens.accountId, accountId))
        .orderBy(desc(accountPushTokens.updatedAt))
        .limit(MAX_DEVICES);
}

/** Reads in a batch the tickets whose receipts are due, the oldest first. */
export function selectDueTickets(db: Db, accountId: string, now: number) {
    return db
        .select({ id: pushTickets.id, token: pushTickets.token, createdAt: pushTickets.createdAt })
        .from(pushTickets)
        .where(and(eq(pushTickets.accountId, accountId), lt(pushTickets.createdAt, now - RECEIPT_AFTER_MS)))
        .orderBy(asc(pushTickets.createdAt))
        .limit(MAX_RECEIPTS);
}

/** Notifies the devices. Those that Expo calls gone are forgotten; the other tickets are kept for their receipts. */
export async function deliver(
    ctx: AccountContext,
    tokens: string[],
    message: Omit<PushMessage, 'to'>,
): Promise<Delivery> {
    if (tokens.length === 0) return { result: 'no_tokens', tokens: 0, delivered: 0 };
    const sentAt = ctx.now();
    const valid = tokens.filter((token) => EXPO_TOKEN.test(token));
    const tickets = await sendPush(
        ctx.config.integrations,
        valid.map((to) => ({ to, ...message })),
    );

    const gone: SentTo[] = [];
    const pending: PendingTicket[] = [];
    const reasons = new Set<string>(valid.length < tokens.length ? ['InvalidToken'] : []);
    for (const [i, ticket] of tickets.entries()) {
        const token = valid[i] ?? '';
        if ('id' in ticket) pending.push({ id: ticket.id, token, createdAt: sentAt });
        else reasons.add(ticket.error);
        if ('error' in ticket && ticket.error === DEVICE_GONE) gone.push({ token, createdAt: sentAt });
    }
    if (gone.length + pending.length > 0) ctx.waitUntil(afterwards(ctx, () => keepOutcome(ctx, gone, pending)));

    const counts = { tokens: tokens.length, delivered: pending.length };
    if (reasons.size === 0) return { result: 'sent', ...counts };
    return { result: pending.length > 0 ? 'partial' : 'failed', ...counts, reason: [...reasons].join(', ') };
}

/** Asks for the receipts that are due, after the answer: devices that turn out to be gone are forgotten. */
export function readReceipts(ctx: AccountContext, due: PendingTicket[]): void {
    if (due.length === 0) return;
    ctx.waitUntil(
        afterwards(ctx, async () => {
            const receipts = await fetchReceipts(
                ctx.config.integrations,
                due.map(({ id }) => id),
            );
            const settled = due.filter(({ id }) => receipts.has(id));
            const gone = settled.filter(({ id }) => receipts.get(id) === DEVICE_GONE);
            const { accountId } = ctx.actor;
            await writeBatch(
                ctx.db,
                [
                    forgetDevices(accountId, gone),
                    sql`DELETE FROM ${pushTickets} WHERE accountId = ${accountId}
                        AND createdAt <= ${due.at(-1)?.createdAt ?? 0} AND id IN ${jsonRows(settled.map(({ id }) => id))}`,
                ],
                [],
            );
        }),
    );
}

/** Deletes tickets whose receipts Expo no longer has, for the nightly sweep. */
export async function sweepPushTickets({ db, now }: { db: Db; now(): number }): Promise<void> {
    await writeBatch(db, [sql`DELETE FROM ${pushTickets} WHERE createdAt < ${now() - RECEIPT_KEPT_MS}`], []);
}

async function keepOutcome(ctx: AccountContext, gone: SentTo[], pending: PendingTicket[]): Promise<void> {
    const { accountId } = ctx.actor;
    await writeBatch(
        ctx.db,
        [
            forgetDevices(accountId, gone),
            sql`INSERT INTO ${pushTickets} (accountId, createdAt, id, token)
                SELECT ${accountId}, t.value ->> 'createdAt', t.value ->> 'id', t.value ->> 'token'
                FROM ${jsonRows(pending)} t WHERE true ON CONFLICT DO NOTHING`,
        ],
        [],
    );
}

/** A device that registered again after it was sent to is there after all. */
function forgetDevices(accountId: string, gone: SentTo[]) {
    return sql`DELETE FROM ${accountPushTokens} WHERE accountId = ${accountId} AND EXISTS (
        SELECT 1 FROM ${jsonRows(gone)} g
        WHERE g.value ->> 'token' = "AccountPushToken".token AND "AccountPushToken".updatedAt <= g.value ->> 'createdAt')`;
}

async function afterwards(ctx: AccountContext, work: () => Promise<void>): Promise<void> {
    try {
        await work();
    } catch (error) {
        // The notification itself is out; the next one comes past here again.
        ctx.log.error('push bookkeeping failed', { error: describeForLog(error) });
    }
}
