import { createTicket } from '@/auth/tickets';
import type { AccountContext } from '@/context';
import type { BroadcastInput } from '@/routers/realtime/schema';

/** A ticket for one WebSocket upgrade within 30 s, so that no long-lived token goes into a URL (contract 4.7). */
export async function ticket(ctx: AccountContext) {
    return { ticket: await createTicket(ctx.config.keys.keyTree, ctx.actor, ctx.now()) };
}

/** How many sockets the caller's account has open, by kind. */
export function stats(ctx: AccountContext) {
    return ctx.hubs.stats(ctx.actor.accountId);
}

/** Sends a message to the caller's own sockets. */
export async function broadcast(ctx: AccountContext, { message, filter }: BroadcastInput) {
    const sent = { ...message, timestamp: message.timestamp ?? ctx.now() };
    const delivered = await ctx.hubs.broadcast(ctx.actor.accountId, sent, filter ?? { type: 'all' });
    return { success: true as const, delivered };
}
