import * as z from 'zod';
import { DataEncryptionKey, EncryptedText, Id, TOGETHER_BYTES, Time, pageSize, text } from '@/utils/schema';

/** A session as every door shows it (contract 4.2). Times are Unix ms; `dataEncryptionKey` is base64. */
export const Session = z
    .object({
        id: z.string(),
        seq: z.int(),
        createdAt: Time,
        updatedAt: Time,
        active: z.boolean(),
        activeAt: Time,
        metadata: z.string(),
        metadataVersion: z.int(),
        agentState: z.string().nullable(),
        agentStateVersion: z.int(),
        dataEncryptionKey: z.string().nullable(),
        lastMessage: z.null(),
    })
    .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;

export const SessionOutput = z.object({ session: Session });

export const SessionsOutput = z.object({ sessions: z.array(Session) });

export const ListSessionsInput = z.object({});

const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** ISO 8601 text or Unix ms, handed on as Unix ms. */
const Instant = z.string().transform((value, ctx) => {
    const time = /^\d{1,15}$/.test(value) ? Number(value) : ISO_TIME.test(value) ? Date.parse(value) : NaN;
    if (Number.isNaN(time)) {
        ctx.addIssue({ code: 'custom', message: 'Must be an ISO 8601 time or Unix milliseconds' });
        return z.NEVER;
    }
    return time;
});

export const PageSessionsInput = z.object({
    cursor: z.string().nullish(),
    limit: pageSize(200, 50),
    changedSince: Instant.nullish(),
});
export type PageSessionsInput = z.infer<typeof PageSessionsInput>;

export const PageSessionsOutput = z.object({
    sessions: z.array(Session),
    nextCursor: z.string().nullable(),
    hasNext: z.boolean(),
});

export const ActiveSessionsInput = z.object({ limit: pageSize(500, 150) });
export type ActiveSessionsInput = z.infer<typeof ActiveSessionsInput>;

export const CreateSessionInput = z
    .object({
        tag: text(256, 1),
        metadata: EncryptedText,
        agentState: EncryptedText.nullish(),
        dataEncryptionKey: DataEncryptionKey.nullish(),
    })
    .refine(
        ({ metadata, agentState }) =>
            Buffer.byteLength(metadata) + Buffer.byteLength(agentState ?? '') <= TOGETHER_BYTES,
        { path: ['metadata'], message: `metadata and agentState together must be at most ${TOGETHER_BYTES} bytes` },
    );
export type CreateSessionInput = z.infer<typeof CreateSessionInput>;

export const SessionIdInput = z.object({ id: Id });
export type SessionIdInput = z.infer<typeof SessionIdInput>;

export const SessionStateOutput = z.object({
    sessionId: z.string(),
    state: z.enum(['active', 'stopped', 'archived']),
    stoppedAt: Time.nullable(),
    stoppedReason: z.string().nullable(),
    lastActivity: Time,
});

export const DeleteSessionInput = z.object({
    id: Id,
    /** Delete for good, with everything that hangs on the session; else it only stops and stays in the lists. */
    hard: z.boolean().nullish(),
});
export type DeleteSessionInput = z.infer<typeof DeleteSessionInput>;

export const SuccessOutput = z.object({ success: z.literal(true) });

export const ArchiveSessionInput = z.object({
    id: Id,
    reason: text(1000).nullish(),
    /** Accepted for the clients that send it; nothing reads it, and it can hold a user's own text, so it is not kept. */
    originalError: z.string().nullish(),
});
export type ArchiveSessionInput = z.infer<typeof ArchiveSessionInput>;

export const ArchiveSessionOutput = z.object({ success: z.literal(true), sessionId: z.string(), archivedAt: Time });

const Version = z.int().min(0);

export const UpdateMetadataInput = z.object({ id: Id, metadata: EncryptedText, expectedVersion: Version });
export type UpdateMetadataInput = z.infer<typeof UpdateMetadataInput>;

export const UpdateMetadataOutput = z.object({
    result: z.enum(['success', 'version-mismatch']),
    version: z.int(),
    metadata: z.string(),
});

export const UpdateAgentStateInput = z.object({
    id: Id,
    /** null clears it. */
    agentState: EncryptedText.nullable(),
    expectedVersion: Version,
});
export type UpdateAgentStateInput = z.infer<typeof UpdateAgentStateInput>;

export const UpdateAgentStateOutput = z.object({
    result: z.enum(['success', 'version-mismatch']),
    version: z.int(),
    agentState: z.string().nullable(),
});
