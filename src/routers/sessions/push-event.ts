import { eq } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { accounts } from '@/db/schema';
import { describeForLog } from '@/errors';
import { announce } from '@/realtime/publish';
import { deliver, readReceipts, selectDevices, selectDueTickets } from '@/routers/push/delivery';
import type { PushEventInput, PushEventOutput } from '@/routers/sessions/push-event-schema';
import { selectSessionId, sessionNotFound } from '@/routers/sessions/service';

/** Longer than this the hub is not waited for; then the notification goes out. */
const PRESENCE_MS = 2000;

/**
 * Tells the account's open apps of something in a session, and its devices too unless somebody has the app in front of
 * them (contract 4.2). One round trip before the answer.
 */
export async function pushEvent(ctx: AccountContext, input: PushEventInput): Promise<PushEventOutput> {
    const { id, kind, title, body, data } = input;
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const [[owned, account, devices, due], active] = await Promise.all([
        ctx.db.batch([
            selectSessionId(ctx.db, accountId, id),
            ctx.db.select({ seq: accounts.seq }).from(accounts).where(eq(accounts.id, accountId)),
            selectDevices(ctx.db, accountId),
            selectDueTickets(ctx.db, accountId, now),
        ]),
        isAppActive(ctx),
    ]);
    if (owned.length === 0) throw sessionNotFound();

    const ephemeral = { type: 'session-event' as const, sessionId: id, kind, title, body, timestamp: now };
    announce(ctx, { accountId, seq: account[0]?.seq ?? 0, ephemerals: [{ ephemeral, to: {} }] });
    if (active) {
        const counts = { tokens: devices.length, delivered: 0 };
        return { success: true, result: 'suppressed', ...counts, reason: 'active-ui-client' };
    }
    readReceipts(ctx, due);
    const delivery = await deliver(
        ctx,
        devices.map(({ token }) => token),
        {
            title,
            body,
            data: { kind, ...data, sessionId: id },
            sound: 'default',
            channelId: 'messages',
            priority: 'high',
        },
    );
    return { success: true, ...delivery };
}

/** When nobody can tell, nobody is: a notification too many does less harm than one too few. */
async function isAppActive({ hubs, actor, log }: AccountContext): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<boolean>((resolve) => {
        timer = setTimeout(resolve, PRESENCE_MS, false);
    });
    try {
        return await Promise.race([hubs.isAppActive(actor.accountId), tooLate]);
    } catch (error) {
        log.error('presence unknown', { error: describeForLog(error) });
        return false;
    } finally {
        clearTimeout(timer);
    }
}
