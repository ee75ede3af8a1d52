import { exists, sql } from 'drizzle-orm';
import type { Actor, TokenFacts } from '@/auth/auth';
import { selectCurrentAccount } from '@/auth/revocation';
import { decodeBase64Url, encodeBase64Url } from '@/crypto/base64';
import { hmacKey } from '@/crypto/kdf';
import type { Db } from '@/db/client';
import { repeatKeys } from '@/db/schema';

/** How long a ticket can be used, in ms (contract 4.7). */
export const TICKET_TTL_MS = 30_000;

const LABEL = 'websocket ticket';
const MAX_LENGTH = 1024;

/** What a ticket says: whose it is, which token it was made with, and its own name. */
export interface Ticket extends TokenFacts {
    /** As in `Actor`, if the token carries any. */
    extras?: Record<string, unknown>;
    nonce: string;
    /** Unix ms. */
    expiresAt: number;
}

/** A ticket for one WebSocket upgrade: `<base64url JSON>.<base64url HMAC>`. */
export async function createTicket(keyTree: Uint8Array, actor: Actor, now: number): Promise<string> {
    const { accountId, tokenId, issuedAt, extras } = actor;
    const facts = { accountId, tokenId, issuedAt, ...(Object.keys(extras).length > 0 && { extras }) };
    const ticket: Ticket = { ...facts, nonce: crypto.randomUUID(), expiresAt: now + TICKET_TTL_MS };
    const payload = encodeBase64Url(Buffer.from(JSON.stringify(ticket)));
    const mac = await crypto.subtle.sign('HMAC', await hmacKey(keyTree, LABEL), Buffer.from(payload));
    return `${payload}.${encodeBase64Url(new Uint8Array(mac))}`;
}

/** The content of a ticket that this server signed and that has not expired, else null. Whether it is spent, D1 knows. */
export async function readTicket(keyTree: Uint8Array, text: string, now: number): Promise<Ticket | null> {
    if (text.length > MAX_LENGTH) return null;
    const [payload = '', signature = '', ...rest] = text.split('.');
    const mac = decodeBase64Url(signature);
    const json = decodeBase64Url(payload);
    if (!mac || !json || rest.length > 0) return null;
    const key = await hmacKey(keyTree, LABEL);
    if (!(await crypto.subtle.verify('HMAC', key, mac, Buffer.from(payload)))) return null;
    const ticket = JSON.parse(Buffer.from(json).toString()) as Ticket;
    return ticket.expiresAt > now ? ticket : null;
}

/** Spends a ticket, if nobody has and its token is still good; a row comes back when it worked. */
export function spendTicket(db: Db, ticket: Ticket, now: number) {
    const { nonce, expiresAt } = ticket;
    const current = selectCurrentAccount(db, ticket);
    return sql<{ key: string }>`INSERT INTO ${repeatKeys} (key, value, createdAt, expiresAt)
        SELECT ${`ticket:${nonce}`}, '', ${now}, ${expiresAt} WHERE ${exists(current)}
        ON CONFLICT (key) DO NOTHING RETURNING key`;
}
