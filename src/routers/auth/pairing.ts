import type { SQL } from 'drizzle-orm';
import { and, eq, exists, sql } from 'drizzle-orm';
import { endedToken, selectCurrentAccount } from '@/auth/revocation';
import type { AccountContext, ServiceContext } from '@/context';
import { encodeHexUpper } from '@/crypto/hex';
import { writeBatch } from '@/db/batch';
import { accountAuthRequests, accounts, terminalAuthRequests } from '@/db/schema';
import { ServiceError } from '@/errors';
import type {
    PairingRequestInput,
    PairingResponseInput,
    PairingStatusInput,
    TerminalRequestInput,
} from '@/routers/auth/schema';

/** A request that nobody answered is gone after this, in ms (contract 4.1). */
export const REQUEST_TTL_MS = 15 * 60_000;
/** After its first hand-out the token can be fetched again for this long, in ms. */
export const HANDOUT_TTL_MS = 2 * 60_000;

const KEY_BYTES = 32;

type Requests = typeof terminalAuthRequests | typeof accountAuthRequests;

/** A terminal asks to be paired, or asks again whether it is; its token names the request (contract 3.2). */
export function requestTerminal(ctx: ServiceContext, { publicKey, supportsV2 }: TerminalRequestInput) {
    const columns = { names: sql`, supportsV2`, values: sql`, ${supportsV2 ? 1 : 0}` };
    return request(ctx, terminalAuthRequests, publicKey, columns, (id) => ({ session: id }));
}

/** A device asks for an account, or asks again whether it was let in. */
export function requestAccount(ctx: ServiceContext, { publicKey }: PairingRequestInput) {
    return request(ctx, accountAuthRequests, publicKey, { names: sql``, values: sql`` }, () => undefined);
}

/** How far a terminal's request has come. */
export async function terminalStatus(ctx: ServiceContext, { publicKey }: PairingStatusInput) {
    if (publicKey.length !== KEY_BYTES) return { status: 'not_found' as const, supportsV2: false };
    const [row] = await ctx.db
        .select({ response: terminalAuthRequests.response, supportsV2: terminalAuthRequests.supportsV2 })
        .from(terminalAuthRequests)
        .where(
            and(
                eq(terminalAuthRequests.publicKey, encodeHexUpper(publicKey)),
                isAlive(terminalAuthRequests, ctx.now()),
            ),
        );
    if (!row) return { status: 'not_found' as const, supportsV2: false };
    return {
        status: row.response === null ? ('pending' as const) : ('authorized' as const),
        supportsV2: row.supportsV2,
    };
}

/** The caller lets a terminal in. */
export function respondTerminal(ctx: AccountContext, input: PairingResponseInput) {
    return respond(ctx, terminalAuthRequests, input);
}

/** The caller lets a device into its account. */
export function respondAccount(ctx: AccountContext, input: PairingResponseInput) {
    return respond(ctx, accountAuthRequests, input);
}

/** Deletes requests that have run out, for the nightly sweep; requests by the same key make room for themselves. */
export async function sweepPairingRequests(ctx: Pick<ServiceContext, 'db' | 'now'>): Promise<void> {
    const before = ctx.now() - REQUEST_TTL_MS - HANDOUT_TTL_MS;
    const tables = [terminalAuthRequests, accountAuthRequests];
    await writeBatch(
        ctx.db,
        tables.map((table) => sql`DELETE FROM ${table} WHERE createdAt < ${before}`),
        [],
    );
}

/**
 * One batch: what has run out goes, the request is made if there is none, its first hand-out is dated, its state is
 * read. A poll that finds nothing new writes nothing.
 */
async function request(
    ctx: ServiceContext,
    table: Requests,
    publicKey: Uint8Array,
    extra: { names: SQL; values: SQL },
    extrasOf: (requestId: string) => Record<string, unknown> | undefined,
) {
    const key = storedKey(publicKey);
    const now = ctx.now();
    const { reads } = await writeBatch(
        ctx.db,
        [
            sql`DELETE FROM ${table} WHERE publicKey = ${key} AND NOT ${isAlive(table, now)}`,
            sql`INSERT INTO ${table} (id, publicKey, createdAt, updatedAt${extra.names})
                VALUES (${ctx.newId()}, ${key}, ${now}, ${now}${extra.values}) ON CONFLICT (publicKey) DO NOTHING`,
            sql`UPDATE ${table} SET handedOutAt = ${now}
                WHERE publicKey = ${key} AND response IS NOT NULL AND handedOutAt IS NULL`,
        ],
        [
            ctx.db
                .select({
                    id: table.id,
                    response: table.response,
                    accountId: table.responseAccountId,
                    tokensNotBefore: accounts.tokensNotBefore,
                })
                .from(table)
                .leftJoin(accounts, eq(accounts.id, table.responseAccountId))
                .where(eq(table.publicKey, key)),
        ],
    );
    const [row] = reads[0];
    if (!row || row.response === null || row.accountId === null) return { state: 'requested' as const };
    const token = await ctx.auth.createToken(row.accountId, extrasOf(row.id), (row.tokensNotBefore ?? 0) + 1);
    return { state: 'authorized' as const, token, response: row.response };
}

/**
 * The first answer wins; later ones are ignored (contract 4.1). An answer is dated as a token would be, so that a
 * logout-all of its account ends both by one rule.
 * @throws UNAUTHORIZED when the calling token has been ended: it must not let anybody in any more
 */
async function respond(ctx: AccountContext, table: Requests, { publicKey, response }: PairingResponseInput) {
    const key = storedKey(publicKey);
    const now = ctx.now();
    const alive = isAlive(table, now);
    const { accountId } = ctx.actor;
    const current = selectCurrentAccount(ctx.db, ctx.actor);
    const notBefore = sql`(SELECT tokensNotBefore + 1 FROM ${accounts} WHERE ${accounts.id} = ${accountId})`;
    const { reads } = await writeBatch(
        ctx.db,
        [
            sql`UPDATE ${table} SET response = ${response}, responseAccountId = ${accountId},
                    updatedAt = max(${now}, ${notBefore} * 1000)
                WHERE publicKey = ${key} AND response IS NULL AND ${alive} AND ${exists(current)}`,
        ],
        [
            current,
            ctx.db
                .select({ id: table.id })
                .from(table)
                .where(and(eq(table.publicKey, key), alive)),
        ],
    );
    const [callers, requests] = reads;
    if (callers.length === 0) throw endedToken(ctx);
    if (requests.length === 0) throw new ServiceError('NOT_FOUND', 'Request not found');
    return { success: true as const };
}

/**
 * Young enough, or handed out a moment ago; and if answered, by an account that exists and has not called logout-all
 * since. Never NULL, so that it can be negated.
 */
function isAlive(table: Requests, now: number) {
    return sql`(coalesce(${table.handedOutAt} > ${now - HANDOUT_TTL_MS}, ${table.createdAt} > ${now - REQUEST_TTL_MS})
        AND (${table.response} IS NULL OR EXISTS (SELECT 1 FROM ${accounts}
            WHERE ${accounts.id} = ${table.responseAccountId}
                AND ${accounts.tokensNotBefore} < ${table.updatedAt} / 1000)))`;
}

/** Upper-case hex, as the Node server stores keys: otherwise a migrated database would split accounts. */
function storedKey(publicKey: Uint8Array): string {
    if (publicKey.length !== KEY_BYTES) throw new ServiceError('UNAUTHORIZED', 'Invalid public key');
    return encodeHexUpper(publicKey);
}
