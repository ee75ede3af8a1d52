import * as z from 'zod';
import type { Actor } from '@/auth/auth';
import { tokenLookup } from '@/auth/revocation';
import type { ServiceContext } from '@/context';
import type { Admission } from '@/realtime/admission';
import { refusalOf, selectScope } from '@/realtime/admit';
import type { Refusal } from '@/realtime/connection';
import { CLOSE, createConnection, isRefusal, readHandshake } from '@/realtime/connection';
import type { Incoming } from '@/realtime/protocol/codec';
import { isPidOf } from '@/realtime/protocol/resumption';
import type { RejectedTokens } from '@/realtime/rejected-tokens';
import { hashToken } from '@/realtime/rejected-tokens';
import type { PendingSocket } from '@/realtime/socket-host';

const AuthMessage = z.object({
    token: z.string().max(4096).nullish(),
    clientType: z.unknown().optional(),
    sessionId: z.unknown().optional(),
    machineId: z.unknown().optional(),
    lastSeq: z.unknown().optional(),
    appState: z.unknown().optional(),
    pid: z.string().optional(),
});

/**
 * Judges the first frame of a socket that could not say at its upgrade whose it is (contract 6, 7): its admission, or
 * why it may not stay. Anything but a token is refused, and one that was rejected lately is not looked at again.
 */
export async function authenticate(
    services: ServiceContext,
    rejected: RejectedTokens,
    { wire, parts }: PendingSocket,
    frame: Incoming,
): Promise<Admission | Refusal> {
    const message = frame.kind === 'auth' ? AuthMessage.safeParse(frame.data) : undefined;
    if (!message?.success) return unauthorized('Authentication required');
    const { token, pid } = message.data;
    if (!token) return unauthorized('Missing authentication token');
    const handshake = readHandshake({ ...parts, ...definedOf(message.data) });
    if (isRefusal(handshake)) return handshake;

    const actor = await verify(services, rejected, token);
    if (!actor) return unauthorized('Invalid authentication token');
    const [scope] = await selectScope(services.db, actor, handshake);
    const refusal = refusalOf(scope, handshake);
    if (refusal) return refusal;

    const connection = createConnection(wire, actor, handshake, services.now());
    const { lastSeq } = handshake;
    const goesOn = pid === undefined || isPidOf(actor.accountId, pid);
    return { connection, seq: scope?.seq ?? 0, ...(goesOn && definedOf({ lastSeq, pid })) };
}

/** The actor of a valid token, else null (contract 7.1). */
async function verify(services: ServiceContext, rejected: RejectedTokens, token: string): Promise<Actor | null> {
    const hash = await hashToken(token, services.config.keys.loginSeed);
    if (rejected.has(hash)) return null;
    const actor = await services.auth.verifyToken(token, tokenLookup(services.db));
    if (!actor) rejected.add(hash);
    return actor;
}

function unauthorized(reason: string): Refusal {
    return { code: CLOSE.authFailed, reason };
}

function definedOf<T extends object>(values: T): Partial<T> {
    return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
