import { eq, sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { writeForAccount } from '@/db/batch';
import { accounts } from '@/db/schema';
import { ServiceError } from '@/errors';
import { announce } from '@/realtime/publish';
import type { UpdateSettingsInput } from '@/routers/account/schema';

/** The caller's encrypted settings, null when there are none, and their version (contract 4.5). */
export async function getSettings(ctx: AccountContext) {
    return only(await selectSettings(ctx));
}

/** Replaces or, with null, clears the settings if they still have the expected version (P7). */
export async function updateSettings(ctx: AccountContext, { settings, expectedVersion }: UpdateSettingsInput) {
    const { accountId } = ctx.actor;
    const { changed, reads, seq } = await writeForAccount(ctx.db, {
        accountId,
        main: sql`UPDATE ${accounts}
            SET settings = ${settings}, settingsVersion = settingsVersion + 1, updatedAt = ${ctx.now()}
            WHERE id = ${accountId} AND settingsVersion = ${expectedVersion} RETURNING id`,
        reads: [selectSettings(ctx)],
    });
    const current = only(reads[0]);
    const version = current.settingsVersion;
    const won = changed.length > 0;
    announce(ctx, {
        accountId,
        seq,
        updates: won
            ? [{ body: { t: 'update-account', id: accountId, settings: { value: settings, version } }, to: {} }]
            : [],
    });
    if (won) return { success: true as const, version };
    return {
        success: false as const,
        error: 'version-mismatch' as const,
        currentVersion: version,
        currentSettings: current.settings,
    };
}

function selectSettings({ db, actor }: AccountContext) {
    return db
        .select({ settings: accounts.settings, settingsVersion: accounts.settingsVersion })
        .from(accounts)
        .where(eq(accounts.id, actor.accountId));
}

function only([row]: Awaited<ReturnType<typeof selectSettings>>) {
    if (!row) throw new ServiceError('UNAUTHORIZED', 'Unauthorized'); // the account is gone
    return row;
}
