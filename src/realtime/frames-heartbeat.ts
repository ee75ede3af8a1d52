import type { Connection } from '@/realtime/connection';
import type { FrameScope } from '@/realtime/frame-scope';
import type { Heartbeat } from '@/realtime/heartbeat';
import { isMuted, judgeHeartbeat, withHeartbeat, withMute } from '@/realtime/heartbeat';
import { activity, machineStatus, markActive } from '@/realtime/presence';
import { isBetterTakenAlong, takeAlong } from '@/realtime/take-along';

/**
 * Takes a heartbeat. Most lead to nothing at all: the database is written every 30 s, apps hear of a change at once and
 * otherwise once a minute, both remembered in the socket's attachment. One for somebody else's object is ignored, and
 * its sender learns nothing.
 */
export async function takeHeartbeat({ socket, host, room, services }: FrameScope, beat: Heartbeat): Promise<void> {
    const current = () => host.stateOf(socket) as Connection;
    const { kind, id } = beat;
    const now = services.now();
    const { accountId } = current();
    const verdict = judgeHeartbeat(current(), beat, now, () => isBetterTakenAlong(host, accountId, now));
    if (!verdict) return;
    const marked = verdict.write
        ? await markActive(services, { accountId, kind, id }, verdict.at)
        : { seq: 0, revived: false };
    if ('refusedUntil' in marked) {
        return host.setState(socket, withMute(current(), beat, marked.refusedUntil, now));
    }
    // Stopped while the database was asked: it must not look alive again.
    if (isMuted(current(), kind, id, now)) return;
    const announce = verdict.announce || marked.revived;
    host.setState(socket, withHeartbeat(current(), beat, { ...verdict, announce }, now));
    if (!announce) return;
    const isBack = marked.revived && kind === 'machine';
    const told = isBack
        ? machineStatus(id, true, verdict.at, now)
        : [activity(kind, id, true, verdict.at, beat.thinking)];
    await room.announce(
        [...told.map((ephemeral) => ({ ephemeral, to: {} })), ...takeAlong(host, accountId, now)],
        marked.seq,
    );
}
