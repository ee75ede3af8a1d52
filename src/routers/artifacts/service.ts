import type { SQL } from 'drizzle-orm';
import { and, desc, eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { encodeBase64 } from '@/crypto/base64';
import { writeForAccount } from '@/db/batch';
import { pageLimit, takePage } from '@/db/pages';
import { joinPieces, readBytes, readPieces } from '@/db/read-bytes';
import { artifacts } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import type {
    Artifact,
    ArtifactHeader,
    ArtifactIdInput,
    ArtifactOutput,
    CreateArtifactInput,
} from '@/routers/artifacts/schema';

const LIST_LIMIT = 200;

const headerColumns = {
    id: artifacts.id,
    header: readBytes(artifacts.header),
    headerVersion: artifacts.headerVersion,
    dataEncryptionKey: artifacts.dataEncryptionKey,
    seq: artifacts.seq,
    createdAt: artifacts.createdAt,
    updatedAt: artifacts.updatedAt,
};

/** The account's artifacts without their bodies, the most recently changed first; fewer where headers are long. */
export async function listArtifacts(ctx: AccountContext): Promise<{ artifacts: ArtifactHeader[] }> {
    const where = eq(artifacts.accountId, ctx.actor.accountId);
    const order = desc(artifacts.updatedAt);
    const bytes = sql<number>`octet_length(${artifacts.header})`.as('bytes');
    const rows = await ctx.db
        .select({ ...headerColumns, bytes })
        .from(artifacts)
        .where(where)
        .orderBy(order)
        .limit(pageLimit(ctx.db.select({ bytes }).from(artifacts).where(where).orderBy(order), LIST_LIMIT));
    return { artifacts: takePage(rows, LIST_LIMIT).page.map(toHeader) };
}

/** The caller's artifact with this id, body included. */
export async function getArtifact(ctx: AccountContext, { id }: ArtifactIdInput): Promise<ArtifactOutput> {
    const [row] = await selectArtifact(ctx, id);
    if (!row) throw artifactNotFound();
    return toOutput(toArtifact(row));
}

/**
 * Creates an artifact, or returns the account's artifact with this id, unchanged (contract 4.4).
 * @throws CONFLICT when the id is another account's
 */
export async function createArtifact(ctx: AccountContext, input: CreateArtifactInput): Promise<ArtifactOutput> {
    const { accountId } = ctx.actor;
    const { id, header, body, dataEncryptionKey } = input;
    const now = ctx.now();
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`INSERT INTO ${artifacts}
            (id, accountId, seq, createdAt, updatedAt, dataEncryptionKey, headerVersion, bodyVersion, header, body)
            VALUES (${id}, ${accountId}, 0, ${now}, ${now}, ${dataEncryptionKey}, 1, 1,
                ${sql.param(header, artifacts.header)}, ${sql.param(body, artifacts.body)})
            ON CONFLICT (id) DO NOTHING RETURNING id`,
        // What was written just now need not be read back: it can be large.
        reads: [selectArtifact(ctx, id, sql`changes() = 0`)],
    });
    if (changed.length === 0) {
        const [existing] = reads[0];
        if (!existing) throw new ServiceError('CONFLICT', 'Artifact with this ID already exists for another account');
        announce(ctx, { accountId, seq });
        return toOutput(toArtifact(existing));
    }
    const artifact = {
        id,
        header: encodeBase64(header),
        headerVersion: 1,
        body: encodeBase64(body),
        bodyVersion: 1,
        dataEncryptionKey: encodeBase64(dataEncryptionKey),
        seq: 0,
        createdAt: now,
        updatedAt: now,
    };
    announce(ctx, { accountId, seq, updates: [{ body: { t: 'new-artifact', artifactId: id, ...artifact }, to: {} }] });
    return toOutput(artifact);
}

/** Deletes an artifact for good. */
export async function deleteArtifact(ctx: AccountContext, { id }: ArtifactIdInput) {
    const { accountId } = ctx.actor;
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`DELETE FROM ${artifacts} WHERE id = ${id} AND accountId = ${accountId} RETURNING id`,
    });
    if (changed.length === 0) throw artifactNotFound();
    announce(ctx, { accountId, seq, updates: [{ body: { t: 'delete-artifact', artifactId: id }, to: {} }] });
    return { success: true as const };
}

/** What selects the artifact with this id if it is the caller's. */
export function ownedArtifact(ctx: AccountContext, id: string): SQL | undefined {
    return and(eq(artifacts.id, id), eq(artifacts.accountId, ctx.actor.accountId));
}

/** What callers are told of an artifact that is not theirs, whether it exists or not. */
export function artifactNotFound(): ServiceError {
    return new ServiceError('NOT_FOUND', 'Artifact not found');
}

function selectArtifact(ctx: AccountContext, id: string, condition?: SQL) {
    return ctx.db
        .select({ ...headerColumns, body: readPieces(artifacts.body), bodyVersion: artifacts.bodyVersion })
        .from(artifacts)
        .where(and(ownedArtifact(ctx, id), condition));
}

interface StoredHeader extends Omit<ArtifactHeader, 'header' | 'dataEncryptionKey'> {
    header: Uint8Array | null;
    dataEncryptionKey: Uint8Array;
}

function toHeader({ id, header, dataEncryptionKey, ...facts }: StoredHeader): ArtifactHeader {
    return { id, header: toBase64(header), dataEncryptionKey: encodeBase64(dataEncryptionKey), ...facts };
}

function toArtifact(row: Awaited<ReturnType<typeof selectArtifact>>[number]): Artifact {
    const { body, bodyVersion, ...header } = row;
    return { ...toHeader(header), body: toBase64(joinPieces(body)), bodyVersion };
}

function toOutput(artifact: Artifact): ArtifactOutput {
    return { ...artifact, artifact };
}

function toBase64(bytes: Uint8Array | null): string {
    return encodeBase64(bytes ?? new Uint8Array());
}
