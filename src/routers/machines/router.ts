import { updateDaemonState, updateMachineMetadata, updateMachineStatus } from '@/routers/machines/changes';
import {
    CreateMachineInput,
    ListMachinesInput,
    ListMachinesOutput,
    MachineIdInput,
    MachineOutput,
    SuccessOutput,
    UpdateDaemonStateInput,
    UpdateDaemonStateOutput,
    UpdateMachineMetadataInput,
    UpdateMachineMetadataOutput,
    UpdateMachineStatusInput,
} from '@/routers/machines/schema';
import { createMachine, deleteMachine, getMachine, listMachines } from '@/routers/machines/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Machines');

export const machinesRouter = router({
    create: accountProcedure
        .meta(rest('POST', '/v1/machines', 'Register a machine, or return the one with this id'))
        .input(CreateMachineInput)
        .output(MachineOutput)
        .mutation(({ ctx, input }) => createMachine(ctx, input)),
    list: accountProcedure
        .meta(rest('GET', '/v1/machines', 'List machines, the most recently active first'))
        .input(ListMachinesInput)
        .output(ListMachinesOutput)
        .query(({ ctx, input }) => listMachines(ctx, input)),
    get: accountProcedure
        .meta(rest('GET', '/v1/machines/{id}', 'Get a machine'))
        .input(MachineIdInput)
        .output(MachineOutput)
        .query(({ ctx, input }) => getMachine(ctx, input)),
    updateStatus: accountProcedure
        .meta(rest('PUT', '/v1/machines/{id}/status', 'Update a machine without asking for versions'))
        .input(UpdateMachineStatusInput)
        .output(MachineOutput)
        .mutation(({ ctx, input }) => updateMachineStatus(ctx, input)),
    updateMetadata: accountProcedure
        .meta(rest('PUT', '/v1/machines/{id}/metadata', 'Replace the metadata if it has the expected version'))
        .input(UpdateMachineMetadataInput)
        .output(UpdateMachineMetadataOutput)
        .mutation(({ ctx, input }) => updateMachineMetadata(ctx, input)),
    updateDaemonState: accountProcedure
        .meta(rest('PUT', '/v1/machines/{id}/daemon-state', 'Replace the daemon state if it has the expected version'))
        .input(UpdateDaemonStateInput)
        .output(UpdateDaemonStateOutput)
        .mutation(({ ctx, input }) => updateDaemonState(ctx, input)),
    delete: accountProcedure
        .meta(rest('DELETE', '/v1/machines/{id}', 'Delete a machine and its access keys'))
        .input(MachineIdInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => deleteMachine(ctx, input)),
});
