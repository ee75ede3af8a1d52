import type { InferSelectModel } from 'drizzle-orm';
import { encodeBase64 } from '@/crypto/base64';
import type { sessions } from '@/db/schema';
import type { Session } from '@/routers/sessions/schema';

type SessionRow = InferSelectModel<typeof sessions>;

/** A stored session as callers see it. */
export function toSession(row: SessionRow): Session {
    return {
        id: row.id,
        seq: row.seq,
        createdAt: row.createdAt,
        updatedAt: row.updatedAt,
        active: row.active,
        activeAt: row.lastActiveAt,
        metadata: row.metadata,
        metadataVersion: row.metadataVersion,
        agentState: row.agentState,
        agentStateVersion: row.agentStateVersion,
        dataEncryptionKey: row.dataEncryptionKey && encodeBase64(row.dataEncryptionKey),
        lastMessage: null,
    };
}
