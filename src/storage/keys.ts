/**
 * Names of objects in the bucket. Everything in them is the server's own: an upload's name and category are never part
 * of a key, so nothing a client sends can lead out of its place (contract 13, Files).
 */

/** The key of an uploaded file. */
export function fileKey(accountId: string, id: string): string {
    return `${accountId}/${id}`;
}

/** What the keys of a session's attachments begin with. */
export function attachmentPrefix(sessionId: string): string {
    return `${ATTACHMENTS}${sessionId}/attachments/`;
}

/** The key of an attachment, which is also the `ref` that clients keep in their messages (contract 4.2). */
export function attachmentKey(sessionId: string, file: string): string {
    return attachmentPrefix(sessionId) + file;
}

/** True for a name that this server gave to an attachment: a UUID and `.enc`. */
export function isAttachmentName(file: string): boolean {
    return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.enc$/.test(file);
}

/** What an object belongs to, by its key; null for a key that this server does not make. */
export function parseKey(key: string): { accountId: string; id: string } | { sessionId: string } | null {
    const sessionId = /^sessions\/([^/]+)\/attachments\/[^/]+$/.exec(key)?.[1];
    if (sessionId !== undefined) return { sessionId };
    const [, accountId, id] = /^([^/]+)\/([^/]+)$/.exec(key) ?? [];
    return accountId !== undefined && id !== undefined ? { accountId, id } : null;
}

// No account has this id: ids are 25 characters, ours and the Node server's.
const ATTACHMENTS = 'sessions/';
