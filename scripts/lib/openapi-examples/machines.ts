import type { Examples } from './example';
import { SEALED, THEN, WRAPPED_KEY } from './example';

const id = '2f1c6a0e-8f0e-4c53-9b3f-0a4f9a6c7d11';

const machine = {
    id,
    accountId: 'cmgx4s0aa0000000000000000',
    metadata: SEALED,
    metadataVersion: 1,
    daemonState: SEALED,
    daemonStateVersion: 1,
    dataEncryptionKey: WRAPPED_KEY,
    seq: 0,
    active: false,
    activeAt: THEN,
    lastActiveAt: THEN,
    createdAt: THEN,
    updatedAt: THEN,
};
const updated = { ...machine, daemonStateVersion: 2, seq: 1, active: true };

export const machineExamples: Examples<'machines'> = {
    create: {
        request: { id, metadata: SEALED, daemonState: SEALED, dataEncryptionKey: WRAPPED_KEY },
        response: { machine },
    },
    list: { request: { limit: 50, activeOnly: false }, response: { machines: [machine] } },
    get: { request: { id }, response: { machine } },
    updateStatus: { request: { id, active: true, daemonState: SEALED }, response: { machine: updated } },
    updateMetadata: {
        request: { id, metadata: SEALED, expectedVersion: 1 },
        response: { result: 'success', version: 2, metadata: SEALED },
    },
    updateDaemonState: {
        request: { id, daemonState: SEALED, expectedVersion: 1 },
        response: { result: 'success', version: 2, daemonState: SEALED },
    },
    delete: { request: { id }, response: { success: true } },
};
