import { accessKeyEvents } from '@/realtime/events/access-keys';
import { artifactEvents } from '@/realtime/events/artifacts';
import { machineEvents } from '@/realtime/events/machines';
import { sessionEvents } from '@/realtime/events/sessions';
import type { SocketEvent } from '@/realtime/events/socket-event';
import { usageEvents } from '@/realtime/events/usage';

/** Client events that services answer, by name. */
export const SOCKET_EVENTS: ReadonlyMap<string, SocketEvent> = new Map(
    Object.entries({ ...sessionEvents, ...machineEvents, ...artifactEvents, ...accessKeyEvents, ...usageEvents }),
);
