import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { sessions } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import type { UpdateAgentStateInput, UpdateMetadataInput } from '@/routers/sessions/schema';
import { isOwnedSession, sessionNotFound } from '@/routers/sessions/service';
import { TOGETHER_BYTES } from '@/utils/schema';

/** Replaces a session's metadata if it still has the expected version (P7). */
export async function updateMetadata(ctx: AccountContext, { id, metadata, expectedVersion }: UpdateMetadataInput) {
    const { won, current } = await replace(ctx, id, 'metadata', metadata, expectedVersion);
    return { result: outcome(won), version: current.metadataVersion, metadata: current.metadata };
}

/** Replaces or, with null, clears a session's agent state if it still has the expected version (P7). */
export async function updateAgentState(
    ctx: AccountContext,
    { id, agentState, expectedVersion }: UpdateAgentStateInput,
) {
    const { won, current } = await replace(ctx, id, 'agentState', agentState, expectedVersion);
    return { result: outcome(won), version: current.agentStateVersion, agentState: current.agentState };
}

const VERSIONED = {
    metadata: { set: sql.raw('metadata'), version: sql.raw('metadataVersion'), other: sql.raw('agentState') },
    agentState: { set: sql.raw('agentState'), version: sql.raw('agentStateVersion'), other: sql.raw('metadata') },
} satisfies Record<string, Record<string, SQL>>;

async function replace(
    ctx: AccountContext,
    id: string,
    field: keyof typeof VERSIONED,
    value: string | null,
    expectedVersion: number,
) {
    const { accountId } = ctx.actor;
    const { set, version, other } = VERSIONED[field];
    const room = TOGETHER_BYTES - Buffer.byteLength(value ?? '');
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`UPDATE ${sessions} SET ${set} = ${value}, ${version} = ${version} + 1, updatedAt = ${ctx.now()}
            WHERE id = ${id} AND accountId = ${accountId} AND ${version} = ${expectedVersion}
                AND octet_length(coalesce(${other}, '')) <= ${room} RETURNING id`,
        reads: [
            ctx.db
                .select({
                    metadata: sessions.metadata,
                    metadataVersion: sessions.metadataVersion,
                    agentState: sessions.agentState,
                    agentStateVersion: sessions.agentStateVersion,
                })
                .from(sessions)
                .where(isOwnedSession(accountId, id)),
        ],
    });
    const [current] = reads[0];
    if (!current) throw sessionNotFound();

    const won = changed.length > 0;
    if (!won && current[`${field}Version`] === expectedVersion) {
        throw new ServiceError('VALIDATION_FAILED', `metadata and agentState together exceed ${TOGETHER_BYTES} bytes`);
    }
    const written = { value: current[field], version: current[`${field}Version`] };
    announce(ctx, {
        accountId,
        seq,
        updates: won ? [{ body: { t: 'update-session', id, sid: id, [field]: written }, to: { session: id } }] : [],
    });
    return { won, current };
}

function outcome(won: boolean): 'success' | 'version-mismatch' {
    return won ? 'success' : 'version-mismatch';
}
