import { isSoonDue, withDueAnnouncements } from '@/realtime/heartbeat';
import { activity } from '@/realtime/presence';
import type { SocketHost } from '@/realtime/socket-host';
import type { AddressedEphemeral } from '@/realtime/updates';

/**
 * What lives on an account's sockets here and is due to be announced, now that the hub is called anyway: a daemon and
 * its sessions wake the hub once a minute together, not each (contract 7.1).
 */
export function takeAlong(host: SocketHost, accountId: string, now: number): AddressedEphemeral[] {
    return [...host.socketsOf(accountId)].flatMap(([socket, connection]) => {
        const due = withDueAnnouncements(connection, now);
        if (!due) return [];
        host.setState(socket, due.connection);
        return due.live.map(({ kind, id, thinking, at }) => ({
            ephemeral: activity(kind, id, true, at, thinking),
            to: {},
        }));
    });
}

/** Whether an announcement had better wait for others that will soon take it along. */
export function isBetterTakenAlong(host: SocketHost, accountId: string, now: number): boolean {
    return [...host.socketsOf(accountId)].some(([, connection]) => isSoonDue(connection, now));
}
