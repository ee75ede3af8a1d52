import type { Examples } from './example';
import { SEALED, THEN, WRAPPED_KEY } from './example';

const id = '7d2b8c1e-notes';

const header = {
    id,
    header: SEALED,
    headerVersion: 1,
    dataEncryptionKey: WRAPPED_KEY,
    seq: 0,
    createdAt: THEN,
    updatedAt: THEN,
};
const artifact = { ...header, body: SEALED, bodyVersion: 1 };

export const artifactExamples: Examples<'artifacts'> = {
    list: { request: {}, response: { artifacts: [header] } },
    get: { request: { id }, response: { ...artifact, artifact } },
    create: {
        request: { id, header: SEALED, body: SEALED, dataEncryptionKey: WRAPPED_KEY },
        response: { ...artifact, artifact },
    },
    update: {
        request: { id, body: SEALED, expectedBodyVersion: 1 },
        response: { success: true, bodyVersion: 2 },
    },
    delete: { request: { id }, response: { success: true } },
};
