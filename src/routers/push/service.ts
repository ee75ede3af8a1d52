import { desc, eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { accountPushTokens } from '@/db/schema';
import { announce } from '@/realtime/publish';
import type { PushTokenInput } from '@/routers/push/schema';

/** More devices than anybody carries; older registrations stay stored but are not listed. */
const LIST_LIMIT = 100;

/** Registers a device's Expo push token; again only says that it is still in use (contract 4.4). */
export async function registerPushToken(ctx: AccountContext, { token }: PushTokenInput) {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const { seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`INSERT INTO ${accountPushTokens} (id, accountId, token, createdAt, updatedAt)
            VALUES (${ctx.newId()}, ${accountId}, ${token}, ${now}, ${now})
            ON CONFLICT (accountId, token) DO UPDATE SET updatedAt = excluded.updatedAt`,
        updatesPerRow: 0,
    });
    announce(ctx, { accountId, seq });
    return { success: true as const };
}

/** The account's push tokens, the most recently registered first. */
export async function listPushTokens(ctx: AccountContext) {
    const { id, token, createdAt, updatedAt } = accountPushTokens;
    const tokens = await ctx.db
        .select({ id, token, createdAt, updatedAt })
        .from(accountPushTokens)
        .where(eq(accountPushTokens.accountId, ctx.actor.accountId))
        .orderBy(desc(updatedAt))
        .limit(LIST_LIMIT);
    return { tokens };
}

/** Forgets a push token; succeeds also when there was none. */
export async function deletePushToken(ctx: AccountContext, { token }: PushTokenInput) {
    const { accountId } = ctx.actor;
    const { seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`DELETE FROM ${accountPushTokens} WHERE accountId = ${accountId} AND token = ${token}`,
        updatesPerRow: 0,
    });
    announce(ctx, { accountId, seq });
    return { success: true as const };
}
