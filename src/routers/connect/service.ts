import { and, asc, eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { DecryptionError } from '@/crypto/decryption-error';
import { vendorTokenPath } from '@/crypto/vault-paths';
import { writeForAccount } from '@/db/batch';
import { accounts, serviceAccountTokens } from '@/db/schema';
import { announce } from '@/realtime/publish';
import { Vendor } from '@/routers/connect/schema';
import type { RegisterVendorInput, VendorInput } from '@/routers/connect/schema';

/** Keeps the account's token of a vendor, encrypted, in place of the one it had (contract 3.3, 4.6). */
export async function registerVendorToken(ctx: AccountContext, { vendor, token }: RegisterVendorInput) {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const stored = await ctx.vault.encryptString(vendorTokenPath(accountId, vendor), token);
    const { seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`INSERT INTO ${serviceAccountTokens} (id, accountId, vendor, token, createdAt, updatedAt)
            SELECT ${ctx.newId()}, id, ${vendor}, ${stored}, ${now}, ${now} FROM ${accounts} WHERE id = ${accountId}
            ON CONFLICT (accountId, vendor) DO UPDATE SET token = excluded.token, updatedAt = excluded.updatedAt`,
        updatesPerRow: 0,
    });
    announce(ctx, { accountId, seq });
    return { success: true as const };
}

/** The account's token of a vendor in clear; null when there is none that opens. */
export async function getVendorToken(ctx: AccountContext, { vendor }: VendorInput) {
    const { accountId } = ctx.actor;
    const [row] = await ctx.db
        .select({ token: serviceAccountTokens.token })
        .from(serviceAccountTokens)
        .where(and(eq(serviceAccountTokens.accountId, accountId), eq(serviceAccountTokens.vendor, vendor)));
    return { token: row ? await open(ctx, vendor, row.token) : null };
}

/** Every token of the account that opens, in clear, by vendor. */
export async function listVendorTokens(ctx: AccountContext) {
    const rows = await ctx.db
        .select({ vendor: serviceAccountTokens.vendor, token: serviceAccountTokens.token })
        .from(serviceAccountTokens)
        .where(eq(serviceAccountTokens.accountId, ctx.actor.accountId))
        .orderBy(asc(serviceAccountTokens.vendor))
        .limit(Vendor.options.length);
    const opened = await Promise.all(
        rows.map(async ({ vendor, token }) => {
            const known = Vendor.safeParse(vendor);
            if (!known.success) return [];
            const clear = await open(ctx, known.data, token);
            return clear === null ? [] : [{ vendor: known.data, token: clear }];
        }),
    );
    return { tokens: opened.flat() };
}

/** Forgets the account's token of a vendor; succeeds also when there was none. */
export async function deleteVendorToken(ctx: AccountContext, { vendor }: VendorInput) {
    const { accountId } = ctx.actor;
    const { seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`DELETE FROM ${serviceAccountTokens} WHERE accountId = ${accountId} AND vendor = ${vendor}`,
        updatesPerRow: 0,
    });
    announce(ctx, { accountId, seq });
    return { success: true as const };
}

/** A token that does not open (its row moved here from another account or vendor, or is damaged) is as good as none. */
async function open(ctx: AccountContext, vendor: Vendor, stored: Uint8Array): Promise<string | null> {
    try {
        return await ctx.vault.decryptString(vendorTokenPath(ctx.actor.accountId, vendor), stored);
    } catch (error) {
        if (!(error instanceof DecryptionError)) throw error;
        ctx.log.error('vendor token does not open', { vendor, reason: error.reason });
        return null;
    }
}
