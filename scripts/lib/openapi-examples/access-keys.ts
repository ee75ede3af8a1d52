import type { Examples } from './example';
import { SEALED, THEN } from './example';

const ids = { sessionId: 'cmgx4s0aa1k2j3h4g5f6d7s8a', machineId: '2f1c6a0e-8f0e-4c53-9b3f-0a4f9a6c7d11' };
const accessKey = { data: SEALED, dataVersion: 1, createdAt: THEN, updatedAt: THEN };

export const accessKeyExamples: Examples<'accessKeys'> = {
    get: { request: ids, response: { accessKey } },
    create: { request: { ...ids, data: SEALED }, response: { success: true, accessKey } },
    update: { request: { ...ids, data: SEALED, expectedVersion: 1 }, response: { success: true, version: 2 } },
};
