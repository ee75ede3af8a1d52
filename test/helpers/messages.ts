import type { TestAccount } from '@test/helpers/account';

/** Appends encrypted texts to a session through v3, in one request; answers their facts by seq. */
export async function appendTexts(account: TestAccount, sessionId: string, texts: string[]) {
    const messages = texts.map((content) => ({ content, localId: crypto.randomUUID() }));
    const { status, body } = await account.call('POST', `/v3/sessions/${sessionId}/messages`, { messages });
    if (status !== 200) throw new Error(`Appending answered ${status}: ${JSON.stringify(body)}`);
    return body.messages as { id: string; seq: number; localId: string }[];
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
