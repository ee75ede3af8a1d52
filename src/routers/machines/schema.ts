import * as z from 'zod';
import { DataEncryptionKey, EncryptedText, Id, TOGETHER_BYTES, Time, pageSize } from '@/utils/schema';

/** A machine as every door shows it (contract 4.3). `activeAt` and `lastActiveAt` are the same time, in Unix ms. */
export const Machine = z.object({
    id: z.string(),
    accountId: z.string(),
    metadata: z.string(),
    metadataVersion: z.int(),
    daemonState: z.string().nullable(),
    daemonStateVersion: z.int(),
    dataEncryptionKey: z.string().nullable(),
    seq: z.int(),
    active: z.boolean(),
    activeAt: Time,
    lastActiveAt: Time,
    createdAt: Time,
    updatedAt: Time,
});
export type Machine = z.infer<typeof Machine>;

export const MachineOutput = z.object({ machine: Machine });

export const MachineIdInput = z.object({ id: Id });
export type MachineIdInput = z.infer<typeof MachineIdInput>;

export const CreateMachineInput = z
    .object({
        id: Id,
        metadata: EncryptedText,
        daemonState: EncryptedText.nullish(),
        dataEncryptionKey: DataEncryptionKey.nullish(),
    })
    .refine(fitTogether, tooLargeTogether());
export type CreateMachineInput = z.infer<typeof CreateMachineInput>;

export const ListMachinesInput = z.object({ limit: pageSize(200, 50), activeOnly: z.boolean().nullish() });
export type ListMachinesInput = z.infer<typeof ListMachinesInput>;

export const ListMachinesOutput = z.object({ machines: z.array(Machine) });

export const UpdateMachineStatusInput = z
    .object({
        id: Id,
        active: z.boolean().nullish(),
        metadata: EncryptedText.nullish(),
        /** null clears it; absence leaves it. */
        daemonState: EncryptedText.nullish(),
    })
    .refine(fitTogether, tooLargeTogether());
export type UpdateMachineStatusInput = z.infer<typeof UpdateMachineStatusInput>;

export const SuccessOutput = z.object({ success: z.literal(true) });

const Version = z.int().min(0);

export const UpdateMachineMetadataInput = z.object({ id: Id, metadata: EncryptedText, expectedVersion: Version });
export type UpdateMachineMetadataInput = z.infer<typeof UpdateMachineMetadataInput>;

export const UpdateMachineMetadataOutput = z.object({
    result: z.enum(['success', 'version-mismatch']),
    version: z.int(),
    metadata: z.string(),
});

export const UpdateDaemonStateInput = z.object({
    id: Id,
    /** null clears it. */
    daemonState: EncryptedText.nullable(),
    expectedVersion: Version,
});
export type UpdateDaemonStateInput = z.infer<typeof UpdateDaemonStateInput>;

export const UpdateDaemonStateOutput = z.object({
    result: z.enum(['success', 'version-mismatch']),
    version: z.int(),
    daemonState: z.string().nullable(),
});

interface Texts {
    metadata?: string | null;
    daemonState?: string | null;
}

function fitTogether({ metadata, daemonState }: Texts): boolean {
    return Buffer.byteLength(metadata ?? '') + Buffer.byteLength(daemonState ?? '') <= TOGETHER_BYTES;
}

function tooLargeTogether() {
    return { path: ['metadata'], message: `metadata and daemonState together must be at most ${TOGETHER_BYTES} bytes` };
}
