import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { pageLimit, takePage } from '@/db/pages';
import { accessKeys, machines } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import type { Announcement } from '@/realtime/publish';
import type { CreateMachineInput, ListMachinesInput, Machine, MachineIdInput } from '@/routers/machines/schema';
import { toMachine } from '@/routers/machines/view';

/** Registers a machine, or returns the account's machine with this id, unchanged (contract 4.3). */
export async function createMachine(ctx: AccountContext, input: CreateMachineInput): Promise<{ machine: Machine }> {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const daemonState = input.daemonState ?? null;
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`INSERT INTO ${machines}
            (id, accountId, metadata, metadataVersion, daemonState, daemonStateVersion, dataEncryptionKey,
             seq, active, lastActiveAt, createdAt, updatedAt)
            VALUES (${input.id}, ${accountId}, ${input.metadata}, 1, ${daemonState}, ${daemonState === null ? 0 : 1},
                ${input.dataEncryptionKey ?? null}, 0, 0, ${now}, ${now}, ${now})
            ON CONFLICT (accountId, id) DO NOTHING RETURNING id`,
        updatesPerRow: 2,
        reads: [selectMachine(ctx, input.id)],
    });
    const [row] = reads[0];
    if (!row) throw machineNotFound();
    const machine = toMachine(row);
    announce(ctx, { accountId, seq, updates: changed.length > 0 ? birth(machine) : [] });
    return { machine };
}

/** A new machine is told of twice: as itself, and by its first metadata, which is all that older clients listen to. */
function birth(machine: Machine): Announcement['updates'] {
    const metadata = { value: machine.metadata, version: machine.metadataVersion };
    return [
        { body: { t: 'new-machine', machineId: machine.id, ...machine }, to: {} },
        { body: { t: 'update-machine', machineId: machine.id, metadata }, to: { machine: machine.id } },
    ];
}

/** The account's machines, the most recently active first; fewer than `limit` where their texts are long. */
export async function listMachines(ctx: AccountContext, { limit, activeOnly }: ListMachinesInput) {
    const where = and(eq(machines.accountId, ctx.actor.accountId), activeOnly ? eq(machines.active, true) : undefined);
    const order = desc(machines.lastActiveAt);
    const bytes = sql<number>`octet_length(${machines.metadata}) + ifnull(octet_length(${machines.daemonState}), 0)`.as(
        'bytes',
    );
    const rows = await ctx.db
        .select({ ...getTableColumns(machines), bytes })
        .from(machines)
        .where(where)
        .orderBy(order)
        .limit(pageLimit(ctx.db.select({ bytes }).from(machines).where(where).orderBy(order), limit));
    return { machines: takePage(rows, limit).page.map(toMachine) };
}

/** The caller's machine with this id. */
export async function getMachine(ctx: AccountContext, { id }: MachineIdInput): Promise<{ machine: Machine }> {
    const [row] = await selectMachine(ctx, id);
    if (!row) throw machineNotFound();
    return { machine: toMachine(row) };
}

/** Deletes a machine and its access keys; its sessions stay. */
export async function deleteMachine(ctx: AccountContext, { id }: MachineIdInput) {
    const { accountId } = ctx.actor;
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        before: [sql`DELETE FROM ${accessKeys} WHERE accountId = ${accountId} AND machineId = ${id}`],
        main: sql`DELETE FROM ${machines} WHERE accountId = ${accountId} AND id = ${id} RETURNING id`,
    });
    if (changed.length === 0) throw machineNotFound();
    announce(ctx, { accountId, seq, updates: [{ body: { t: 'delete-machine', machineId: id }, to: {} }] });
    return { success: true as const };
}

/** The row of a machine of the caller, to be read alone or at the end of a batch: one or none. */
export function selectMachine(ctx: AccountContext, id: string) {
    return ctx.db
        .select()
        .from(machines)
        .where(and(eq(machines.accountId, ctx.actor.accountId), eq(machines.id, id)));
}

/** What callers are told of a machine that is not theirs, whether it exists or not. */
export function machineNotFound(): ServiceError {
    return new ServiceError('NOT_FOUND', 'Machine not found');
}
