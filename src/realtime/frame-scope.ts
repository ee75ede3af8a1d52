import type { ServiceContext } from '@/context';
import type { Connection } from '@/realtime/connection';
import type { Room } from '@/realtime/room';
import type { SocketHost } from '@/realtime/socket-host';

/** An authenticated socket whose frame is being handled, and what it may touch. */
export interface FrameScope {
    socket: WebSocket;
    /** As it was when the frame's turn came. */
    connection: Connection;
    host: SocketHost;
    room: Room;
    services: ServiceContext;
}
