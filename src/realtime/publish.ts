import type { ServiceContext } from '@/context';
import { describeForLog } from '@/errors';
import type { AccountHub } from '@/realtime/hub';
import type { AddressedEphemeral, AddressedUpdate, Publication, Recipients, UpdateBody } from '@/realtime/updates';

/** What services say to and ask of the hub of an account. */
export interface Hubs {
    publish(accountId: string, publication: Publication): Promise<void>;
    /** Whether somebody has the app in front of them: a user-scoped socket reported `app-state: active` last. */
    isAppActive(accountId: string): Promise<boolean>;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 50;

/** The hubs behind a Durable Object namespace: one object per account, named by its id. */
export function createHubs(namespace: DurableObjectNamespace<AccountHub>): Hubs {
    return {
        async publish(accountId, publication) {
            await namespace.getByName(accountId).publish(publication);
        },
        async isAppActive(accountId) {
            return namespace.getByName(accountId).isAppActive();
        },
    };
}

/** What a service says of a write: bodies in the order of the numbers they took, and ephemerals. */
export interface Announcement {
    accountId: string;
    /** The account's `seq` after the write; the last of `updates` has it. */
    seq: number;
    updates?: { body: UpdateBody; to: Recipients }[];
    ephemerals?: AddressedEphemeral[];
    /** Socket that caused the write and must not get it back. */
    skip?: string;
}

/**
 * Tells the account's hub of a committed write, after the response if need be. The write stands whatever becomes of
 * this; it is tried again three times, and the hub notices a loss by the gap in `seq` (contract 13, Publishing).
 */
export function announce(ctx: ServiceContext, { accountId, seq, updates = [], ephemerals = [], skip }: Announcement): void {
    const createdAt = ctx.now();
    const first = seq - updates.length + 1;
    const addressed = updates.map(({ body, to }, i): AddressedUpdate => {
        const update = { id: ctx.newId(), seq: first + i, body, createdAt };
        return skip === undefined ? { update, to } : { update, to, skip };
    });
    ctx.waitUntil(publishWithRetry(ctx, accountId, { seq, updates: addressed, ephemerals }));
}

async function publishWithRetry(ctx: ServiceContext, accountId: string, publication: Publication): Promise<void> {
    for (let attempt = 1; ; attempt++) {
        try {
            return await ctx.hubs.publish(accountId, publication);
        } catch (error) {
            ctx.log.error('publish failed', { attempt, error: describeForLog(error) });
            if (attempt === ATTEMPTS) return;
            await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 4 ** (attempt - 1)));
        }
    }
}
