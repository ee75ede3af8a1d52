import type { SQL } from 'drizzle-orm';
import { and, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { AccountContext } from '@/context';
import { encodeBase64 } from '@/crypto/base64';
import { writeForAccount } from '@/db/batch';
import { joinPieces, readBytes, readPieces } from '@/db/read-bytes';
import { artifacts } from '@/db/schema';
import { announce } from '@/realtime/publish';
import type { UpdateArtifactInput, UpdateArtifactOutput } from '@/routers/artifacts/schema';
import { artifactNotFound, ownedArtifact } from '@/routers/artifacts/service';

/**
 * Replaces header, body or both: if each part given still has its expected version, else nothing (P7, contract 4.4).
 * A call without a part changes nothing.
 */
export async function updateArtifact(ctx: AccountContext, input: UpdateArtifactInput): Promise<UpdateArtifactOutput> {
    const { accountId } = ctx.actor;
    const { id } = input;
    const header = partOf(artifacts.header, artifacts.headerVersion, input.header, input.expectedHeaderVersion);
    const body = partOf(artifacts.body, artifacts.bodyVersion, input.body, input.expectedBodyVersion);
    const parts = [header, body].filter((part) => part !== null);
    if (parts.length === 0) {
        const [row] = await ctx.db.select({ id: artifacts.id }).from(artifacts).where(ownedArtifact(ctx, id));
        if (!row) throw artifactNotFound();
        return { success: true };
    }

    const set = [sql`seq = seq + 1`, sql`updatedAt = ${ctx.now()}`, ...parts.map((part) => part.set)];
    const fits = parts.map((part) => part.fits);
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`UPDATE ${artifacts} SET ${sql.join(set, sql`, `)}
            WHERE id = ${id} AND accountId = ${accountId} AND ${sql.join(fits, sql` AND `)} RETURNING id`,
        // Only for who lost, and only what did not match: a body can be large.
        reads: [
            ctx.db
                .select({
                    headerVersion: artifacts.headerVersion,
                    header: readBytes(artifacts.header, header?.differs ?? sql`FALSE`),
                    bodyVersion: artifacts.bodyVersion,
                    body: readPieces(artifacts.body, body?.differs ?? sql`FALSE`),
                })
                .from(artifacts)
                .where(and(ownedArtifact(ctx, id), sql`changes() = 0`)),
        ],
    });
    const [current] = reads[0];
    const won = changed.length > 0;
    if (!won && !current) throw artifactNotFound();

    const update = {
        t: 'update-artifact' as const,
        artifactId: id,
        ...(header && { header: header.next }),
        ...(body && { body: body.next }),
    };
    announce(ctx, { accountId, seq, updates: won ? [{ body: update, to: {} }] : [] });
    if (!current) {
        return {
            success: true,
            ...(header && { headerVersion: header.next.version }),
            ...(body && { bodyVersion: body.next.version }),
        };
    }
    const currentBody = joinPieces(current.body);
    return {
        success: false,
        error: 'version-mismatch',
        ...(current.header && {
            currentHeaderVersion: current.headerVersion,
            currentHeader: encodeBase64(current.header),
        }),
        ...(currentBody && { currentBodyVersion: current.bodyVersion, currentBody: encodeBase64(currentBody) }),
    };
}

interface Part {
    set: SQL;
    fits: SQL;
    differs: SQL;
    /** What it is afterwards, as the event tells it: base64. */
    next: { value: string; version: number };
}

function partOf(
    column: SQLiteColumn,
    version: SQLiteColumn,
    value: Uint8Array | null | undefined,
    expected: number | null | undefined,
): Part | null {
    if (value == null || expected == null) return null;
    const [name, versionName] = [sql.identifier(column.name), sql.identifier(version.name)];
    return {
        set: sql`${name} = ${sql.param(value, column)}, ${versionName} = ${versionName} + 1`,
        fits: sql`${versionName} = ${expected}`,
        differs: sql`${version} <> ${expected}`,
        next: { value: encodeBase64(value), version: expected + 1 },
    };
}
