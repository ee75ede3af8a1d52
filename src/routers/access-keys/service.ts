import { and, eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { accessKeys, machines, sessions } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import type {
    AccessKey,
    AccessKeyInput,
    CreateAccessKeyInput,
    UpdateAccessKeyInput,
    UpdateAccessKeyOutput,
} from '@/routers/access-keys/schema';

/** The access key of a session and a machine, null when there is none yet. */
export async function getAccessKey(ctx: AccountContext, ids: AccessKeyInput): Promise<{ accessKey: AccessKey | null }> {
    const [pair] = await selectPair(ctx, ids);
    if (!pair) throw pairNotFound();
    return { accessKey: pair.accessKey };
}

/** Makes the access key of a session and a machine (contract 4.4). @throws CONFLICT when there is one */
export async function createAccessKey(ctx: AccountContext, { data, ...ids }: CreateAccessKeyInput) {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`INSERT INTO ${accessKeys} (id, accountId, machineId, sessionId, data, dataVersion, createdAt, updatedAt)
            SELECT ${ctx.newId()}, ${accountId}, m.id, s.id, ${data}, 1, ${now}, ${now}
            FROM ${sessions} s JOIN ${machines} m ON m.accountId = s.accountId
            WHERE s.id = ${ids.sessionId} AND s.accountId = ${accountId} AND m.id = ${ids.machineId}
            ON CONFLICT (accountId, machineId, sessionId) DO NOTHING RETURNING id`,
        updatesPerRow: 0,
        reads: [selectPair(ctx, ids)],
    });
    const [pair] = reads[0];
    if (!pair?.accessKey) throw pairNotFound();
    announce(ctx, { accountId, seq });
    if (changed.length === 0) throw new ServiceError('CONFLICT', 'Access key already exists');
    return { success: true as const, accessKey: pair.accessKey };
}

/** Replaces the data of an access key if it still has the expected version (P7). */
export async function updateAccessKey(
    ctx: AccountContext,
    input: UpdateAccessKeyInput,
): Promise<UpdateAccessKeyOutput> {
    const { accountId } = ctx.actor;
    const { sessionId, machineId, data, expectedVersion } = input;
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql<{ dataVersion: number }>`UPDATE ${accessKeys}
            SET data = ${data}, dataVersion = dataVersion + 1, updatedAt = ${ctx.now()}
            WHERE accountId = ${accountId} AND machineId = ${machineId} AND sessionId = ${sessionId}
                AND dataVersion = ${expectedVersion} RETURNING dataVersion`,
        updatesPerRow: 0,
        reads: [selectPair(ctx, input)],
    });
    const [pair] = reads[0];
    if (!pair) throw pairNotFound();
    if (!pair.accessKey) throw new ServiceError('NOT_FOUND', 'Access key not found');
    announce(ctx, { accountId, seq });

    const { dataVersion, data: current } = pair.accessKey;
    if (changed.length > 0) return { success: true, version: dataVersion };
    return { success: false, error: 'version-mismatch', currentVersion: dataVersion, currentData: current };
}

/** One row if both the session and the machine are the account's, with their access key or null; else none. */
function selectPair(ctx: AccountContext, { sessionId, machineId }: AccessKeyInput) {
    const { accountId } = ctx.actor;
    return ctx.db
        .select({
            accessKey: {
                data: accessKeys.data,
                dataVersion: accessKeys.dataVersion,
                createdAt: accessKeys.createdAt,
                updatedAt: accessKeys.updatedAt,
            },
        })
        .from(sessions)
        .innerJoin(machines, and(eq(machines.accountId, sessions.accountId), eq(machines.id, machineId)))
        .leftJoin(
            accessKeys,
            and(
                eq(accessKeys.accountId, sessions.accountId),
                eq(accessKeys.machineId, machines.id),
                eq(accessKeys.sessionId, sessions.id),
            ),
        )
        .where(and(eq(sessions.id, sessionId), eq(sessions.accountId, accountId)));
}

function pairNotFound(): ServiceError {
    return new ServiceError('NOT_FOUND', 'Session or machine not found');
}
