import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';

/** Appends encrypted texts to a session through v3, in one request; answers their facts by seq. */
export async function appendTexts(account: TestAccount, sessionId: string, texts: string[]) {
    const messages = texts.map((content) => ({ content, localId: crypto.randomUUID() }));
    const { status, body } = await account.call('POST', `/v3/sessions/${sessionId}/messages`, { messages });
    if (status !== 200) throw new Error(`Appending answered ${status}: ${JSON.stringify(body)}`);
    return body.messages as { id: string; seq: number; localId: string }[];
}

/** A new account with a session of so many encrypted messages. */
export async function sessionWith(
    server: TestServer,
    messages: number,
): Promise<{ account: TestAccount; sid: string }> {
    const account = await createAccount(server);
    const sid = await createSession(account);
    for (let i = 0; i < messages; i += 100) {
        await appendTexts(
            account,
            sid,
            Array.from({ length: Math.min(100, messages - i) }, (_, n) => `${i + n}`),
        );
    }
    return { account, sid };
}

/** Every message of a session, oldest first, of whatever content: read page by page from v2. */
export async function readAll(account: TestAccount, sessionId: string) {
    const messages: { id: string; seq: number; localId: string | null; content: unknown }[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
        const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const { body } = await account.call('GET', `/v2/sessions/${sessionId}/messages?limit=500${query}`);
        messages.unshift(...body.messages.toReversed());
        cursor = body.nextCursor;
    }
    return messages;
}
