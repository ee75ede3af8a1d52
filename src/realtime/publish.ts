import type { ServiceContext } from '@/context';
import { ServiceError, describeForLog } from '@/errors';
import type { Admission } from '@/realtime/admission';
import { ADMISSION_HEADER, internalUpgrade } from '@/realtime/admission';
import type { AccountHub } from '@/realtime/hub';
import type { Revocation } from '@/realtime/revocations';
import type { ConnectionStats } from '@/realtime/stats';
import type { UpdateBody } from '@/realtime/bodies';
import type { AddressedEphemeral, AddressedUpdate, BroadcastFilter, Publication, Recipients } from '@/realtime/updates';

/** What services ask of the hub of an account. */
export interface Hubs {
    publish(accountId: string, publication: Publication): Promise<void>;
    /** Closes the sockets of ended tokens. */
    revoke(accountId: string, revocation: Revocation): Promise<void>;
    stats(accountId: string): Promise<ConnectionStats>;
    /** Sends a message to chosen sockets; how many there are. */
    broadcast(accountId: string, message: unknown, filter: BroadcastFilter): Promise<number>;
    /** Opens a socket of this Worker's own: what it brings goes on as an event stream. */
    follow(admission: Admission): Promise<WebSocket>;
    /** Whether an app of the account is in the foreground. */
    isAppActive(accountId: string): Promise<boolean>;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 50;

/** The hubs behind a Durable Object namespace: one object per account, named by its id. */
export function createHubs(namespace: DurableObjectNamespace<AccountHub>): Hubs {
    const hub = (accountId: string) => namespace.getByName(accountId);
    return {
        publish: async (accountId, publication) => hub(accountId).publish(publication),
        revoke: async (accountId, revocation) => hub(accountId).revoke(revocation),
        stats: async (accountId) => hub(accountId).stats(),
        broadcast: async (accountId, message, filter) => hub(accountId).broadcast(message, filter),
        async follow(admission) {
            const { webSocket } = await hub(admission.connection.accountId).fetch(
                internalUpgrade(ADMISSION_HEADER, admission),
            );
            if (!webSocket) throw new ServiceError('SERVICE_UNAVAILABLE', 'Realtime unavailable, try again');
            return webSocket;
        },
        isAppActive: async (accountId) => hub(accountId).isAppActive(),
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
export function announce(
    ctx: ServiceContext,
    { accountId, seq, updates = [], ephemerals = [], skip }: Announcement,
): void {
    const createdAt = ctx.now();
    const first = seq - updates.length + 1;
    const addressed = updates.map(({ body, to }, i): AddressedUpdate => {
        const update = { id: ctx.newId(), seq: first + i, body, createdAt };
        return skip === undefined ? { update, to } : { update, to, skip };
    });
    const publication = { seq, updates: addressed, ephemerals };
    ctx.waitUntil(withRetry(ctx, 'publish', () => ctx.hubs.publish(accountId, publication)));
}

/** Closes the sockets of ended tokens, after the response if need be (contract 3.2). */
export function closeSockets(ctx: ServiceContext, accountId: string, revocation: Revocation): void {
    ctx.waitUntil(withRetry(ctx, 'revoke', () => ctx.hubs.revoke(accountId, revocation)));
}

async function withRetry(ctx: ServiceContext, what: string, call: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
        try {
            return await call();
        } catch (error) {
            ctx.log.error(`${what} failed`, { attempt, error: describeForLog(error) });
            if (attempt === ATTEMPTS) return;
            await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 4 ** (attempt - 1)));
        }
    }
}
