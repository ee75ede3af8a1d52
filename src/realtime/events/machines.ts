import type { SocketEvent } from '@/realtime/events/socket-event';
import { socketEvent } from '@/realtime/events/socket-event';
import { getMachineId } from '@/realtime/protocol/ids';
import { updateDaemonState, updateMachineMetadata } from '@/routers/machines/changes';
import { UpdateDaemonStateInput, UpdateMachineMetadataInput } from '@/routers/machines/schema';
import { Id } from '@/utils/schema';

const Metadata = UpdateMachineMetadataInput.omit({ id: true }).extend({ machineId: Id });
const DaemonState = UpdateDaemonStateInput.omit({ id: true }).extend({ machineId: Id });

/** Socket events of machines: the services of `routers/machines`. */
export const machineEvents: Record<string, SocketEvent> = {
    'machine-update-metadata': socketEvent(Metadata, (ctx, data) =>
        updateMachineMetadata(ctx, { ...data, id: getMachineId(data) }),
    ),
    'machine-update-state': socketEvent(DaemonState, (ctx, data) =>
        updateDaemonState(ctx, { ...data, id: getMachineId(data) }),
    ),
};
