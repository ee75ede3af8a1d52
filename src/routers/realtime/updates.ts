import { tracked } from '@trpc/server';
import type { TrackedEnvelope } from '@trpc/server';
import type { AccountContext } from '@/context';
import { ServiceError } from '@/errors';
import { createAdmission } from '@/realtime/admission';
import { refusalOf, selectScope } from '@/realtime/admit';
import type { Handshake } from '@/realtime/connection';
import { UNKNOWN_SEQ, beginningAt, eventsOf, readFrames } from '@/realtime/follow';
import type { RealtimeEvent } from '@/realtime/follow';
import type { UpdatesInput } from '@/routers/realtime/schema';

/**
 * Follows the caller's account, or one session or machine of it (contract 8): what happens from now on, or after
 * `lastEventId`. Each event's id is the account's seq reached so far. `signal` says that nobody listens any more.
 * @throws NOT_FOUND for a session or machine that is not the account's, UNAUTHORIZED also later, when the token ends
 */
export async function updates(
    ctx: AccountContext,
    { scope, id, lastEventId }: UpdatesInput,
    signal: AbortSignal | undefined,
): Promise<AsyncIterable<TrackedEnvelope<RealtimeEvent>>> {
    const lastSeq = lastEventId == null ? undefined : readEventId(lastEventId);
    const handshake = handshakeOf(scope ?? 'user', id ?? undefined, lastSeq);
    const [row] = await selectScope(ctx.db, ctx.actor, handshake);
    const refusal = refusalOf(row, handshake);
    if (refusal) throw new ServiceError(row ? 'NOT_FOUND' : 'UNAUTHORIZED', refusal.reason);

    const socket = await ctx.hubs.follow(createAdmission('sse', ctx.actor, handshake, row?.seq ?? 0));
    const frames = readFrames(socket, signal);
    const connected = (await frames.next())?.data as { seq: number } | undefined;
    const start = lastSeq === undefined || lastSeq === UNKNOWN_SEQ ? (connected?.seq ?? 0) : lastSeq;
    // A client that is cut off before the first event continues from here, too.
    if (lastSeq === undefined) ctx.startStreamAt?.(String(start));
    return track(eventsOf(frames, start), lastSeq === undefined ? start : undefined);
}

async function* track(
    events: AsyncIterable<[number, RealtimeEvent]>,
    beginning: number | undefined,
): AsyncGenerator<TrackedEnvelope<RealtimeEvent>> {
    if (beginning !== undefined) yield tracked(String(beginning), beginningAt(beginning));
    for await (const [seq, event] of events) yield tracked(String(seq), event);
}

/** The handshake of a socket that gets what the subscription is to yield. */
export function handshakeOf(scope: NonNullable<UpdatesInput['scope']>, id?: string, lastSeq?: number): Handshake {
    return {
        clientType: `${scope}-scoped`,
        ...(scope === 'session' && { sessionId: id }),
        ...(scope === 'machine' && { machineId: id }),
        ...(lastSeq !== undefined && { lastSeq }),
    };
}

/** What is no id of ours cannot be continued from: it leads to a resync, not to an error. */
export function readEventId(id: string): number {
    const seq = Number(id);
    return /^\d+$/.test(id) && Number.isSafeInteger(seq) ? seq : UNKNOWN_SEQ;
}
