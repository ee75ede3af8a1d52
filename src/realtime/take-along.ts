import { withEarlyAnnouncements } from '@/realtime/heartbeat';
import { activity } from '@/realtime/presence';
import type { SocketHost } from '@/realtime/socket-host';
import type { AddressedEphemeral } from '@/realtime/updates';

/**
 * What lives on an account's sockets in a gateway and is to be announced before long, now that its hub is called
 * anyway: a daemon and its sessions wake the hub once a minute together, not each (contract 7.1).
 */
export function takeAlong(host: SocketHost, accountId: string, now: number): AddressedEphemeral[] {
    return [...host.socketsOf(accountId)].flatMap(([socket, connection]) => {
        const early = withEarlyAnnouncements(connection, now);
        if (!early) return [];
        host.setState(socket, early.connection);
        return early.live.map(({ kind, id, thinking, at }) => ({
            ephemeral: activity(kind, id, true, at, thinking),
            to: {},
        }));
    });
}
