import { sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { machines } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import type {
    UpdateDaemonStateInput,
    UpdateMachineMetadataInput,
    UpdateMachineStatusInput,
} from '@/routers/machines/schema';
import { machineNotFound, selectMachine } from '@/routers/machines/service';
import type { MachineRow } from '@/routers/machines/view';
import { toMachine } from '@/routers/machines/view';
import { TOGETHER_BYTES } from '@/utils/schema';

/** Writes what is given without asking for versions, and marks the machine as just seen (contract 4.3). */
export async function updateMachineStatus(ctx: AccountContext, input: UpdateMachineStatusInput) {
    const { machine } = await change(ctx, input.id, {
        metadata: input.metadata ?? undefined,
        daemonState: input.daemonState,
        active: input.active ?? undefined,
        seen: true,
    });
    return { machine };
}

/** Replaces a machine's metadata if it still has the expected version (P7). */
export async function updateMachineMetadata(ctx: AccountContext, input: UpdateMachineMetadataInput) {
    const { id, metadata, expectedVersion } = input;
    const { won, machine } = await change(ctx, id, {
        metadata,
        expected: { field: 'metadata', version: expectedVersion },
    });
    return { result: outcome(won), version: machine.metadataVersion, metadata: machine.metadata };
}

/**
 * Replaces or, with null, clears a machine's daemon state if it still has the expected version (P7). A daemon that
 * reports its state is alive, so the machine becomes active.
 */
export async function updateDaemonState(
    ctx: AccountContext,
    { id, daemonState, expectedVersion }: UpdateDaemonStateInput,
) {
    const { won, machine } = await change(ctx, id, {
        daemonState,
        active: true,
        seen: true,
        expected: { field: 'daemonState', version: expectedVersion },
    });
    return { result: outcome(won), version: machine.daemonStateVersion, daemonState: machine.daemonState };
}

/** What to change; what is undefined stays. */
interface MachineChange {
    metadata?: string | undefined;
    daemonState?: string | null | undefined;
    active?: boolean | undefined;
    /** Moves `lastActiveAt` to now. */
    seen?: boolean;
    /** The change happens only if this field still has this version. */
    expected?: { field: 'metadata' | 'daemonState'; version: number };
}

/** Changes a machine in one statement and tells of it; `machine` is the state after it, changed or not. */
async function change(ctx: AccountContext, id: string, wanted: MachineChange) {
    const { accountId } = ctx.actor;
    const { expected } = wanted;
    const { set, bytes } = assignments(wanted, ctx.now());
    const condition = expected ? sql`${sql.raw(`${expected.field}Version`)} = ${expected.version}` : sql`TRUE`;
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`UPDATE ${machines} SET ${set}
            WHERE accountId = ${accountId} AND id = ${id} AND ${condition}
                AND ${bytes} <= ${TOGETHER_BYTES} RETURNING id`,
        reads: [selectMachine(ctx, id)],
    });
    const [row] = reads[0];
    if (!row) throw machineNotFound();
    const won = changed.length > 0;
    if (!won && (!expected || row[`${expected.field}Version`] === expected.version)) {
        throw new ServiceError('VALIDATION_FAILED', `metadata and daemonState together exceed ${TOGETHER_BYTES} bytes`);
    }
    const body = { t: 'update-machine' as const, machineId: id, ...changedParts(wanted, row) };
    announce(ctx, { accountId, seq, updates: won ? [{ body, to: { machine: id } }] : [] });
    return { won, machine: toMachine(row) };
}

/** What is set, and how many bytes the row's two texts will take: those that stay are counted by the database. */
function assignments({ metadata, daemonState, active, seen }: MachineChange, now: number) {
    const set = [sql`seq = seq + 1`, sql`updatedAt = ${now}`];
    const bytes = [sql`${Buffer.byteLength(metadata ?? '') + Buffer.byteLength(daemonState ?? '')}`];
    if (metadata === undefined) bytes.push(sql`octet_length(metadata)`);
    else set.push(sql`metadata = ${metadata}`, sql`metadataVersion = metadataVersion + 1`);
    if (daemonState === undefined) bytes.push(sql`ifnull(octet_length(daemonState), 0)`);
    else set.push(sql`daemonState = ${daemonState}`, sql`daemonStateVersion = daemonStateVersion + 1`);
    if (active !== undefined) set.push(sql`active = ${active ? 1 : 0}`);
    if (seen) set.push(sql`lastActiveAt = ${now}`);
    return { set: sql.join(set, sql`, `), bytes: sql.join(bytes, sql` + `) };
}

function changedParts({ metadata, daemonState }: MachineChange, row: MachineRow) {
    return {
        ...(metadata !== undefined && { metadata: { value: row.metadata, version: row.metadataVersion } }),
        ...(daemonState !== undefined && { daemonState: { value: row.daemonState, version: row.daemonStateVersion } }),
        // Always told: the app takes a machine whose update does not say so for an active one.
        active: row.active,
        activeAt: row.lastActiveAt,
    };
}

function outcome(won: boolean): 'success' | 'version-mismatch' {
    return won ? 'success' : 'version-mismatch';
}
