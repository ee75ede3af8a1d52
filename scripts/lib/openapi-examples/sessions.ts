import type { Examples } from './example';
import { SEALED, THEN, WRAPPED_KEY } from './example';

const id = 'cmgx4s0ab0000000000000001';
const ref = `sessions/${id}/attachments/6b1f0e9c-3f0d-4c53-9b3f-0a4f9a6c7d11.enc`;
const attachmentUrl = `https://happy.example.com/v1/${ref}`;

const session = {
    id,
    seq: 12,
    createdAt: THEN,
    updatedAt: THEN + 60_000,
    active: true,
    activeAt: THEN + 60_000,
    metadata: SEALED,
    metadataVersion: 1,
    agentState: SEALED,
    agentStateVersion: 3,
    dataEncryptionKey: WRAPPED_KEY,
    lastMessage: null,
};

export const sessionExamples: Examples<'sessions'> = {
    list: { request: {}, response: { sessions: [session] } },
    page: {
        request: { limit: 50, changedSince: '2026-04-01T00:00:00Z' },
        response: { sessions: [session], nextCursor: null, hasNext: false },
    },
    active: { request: { limit: 150 }, response: { sessions: [session] } },
    create: {
        request: {
            tag: 'laptop:/home/jane/project',
            metadata: SEALED,
            agentState: SEALED,
            dataEncryptionKey: WRAPPED_KEY,
        },
        response: { session: { ...session, seq: 0, updatedAt: THEN, activeAt: THEN, agentStateVersion: 1 } },
    },
    get: { request: { id }, response: { session } },
    state: {
        request: { id },
        response: { sessionId: id, state: 'active', stoppedAt: null, stoppedReason: null, lastActivity: THEN + 60_000 },
    },
    delete: { request: { id }, response: { success: true } },
    archive: {
        request: { id, reason: 'user-request' },
        response: { success: true, sessionId: id, archivedAt: THEN + 90_000 },
    },
    pushEvent: {
        request: { id, kind: 'done', title: 'Claude is done', body: 'Refactored the parser' },
        response: { success: true, result: 'sent', tokens: 1, delivered: 1 },
    },
    requestAttachmentUpload: {
        request: { id, filename: 'screenshot.png', size: 245_678 },
        response: { ref, uploadUrl: attachmentUrl, method: 'PUT' },
    },
    requestAttachmentDownload: { request: { id, ref }, response: { downloadUrl: attachmentUrl } },
    updateMetadata: {
        request: { id, metadata: SEALED, expectedVersion: 1 },
        response: { result: 'success', version: 2, metadata: SEALED },
    },
    updateAgentState: {
        request: { id, agentState: SEALED, expectedVersion: 3 },
        response: { result: 'success', version: 4, agentState: SEALED },
    },
};
