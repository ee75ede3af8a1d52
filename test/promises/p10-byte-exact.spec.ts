import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('P10 opaque: byte-exact', () => {
    it('texts and keys of every length of base64', async () => {
        const account = await createAccount(server);
        for (let length = 0; length <= 50; length++) {
            const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(length))));
            expect(await received(account, text, text)).toEqual(sent(text, text));
        }
        for (const length of [1021, 1022, 1023, 1024]) {
            const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(length))));
            expect(await received(account, 'm', key)).toEqual(sent('m', key));
        }
    });

    it.each([
        ['beyond the basic plane', '😀𝄞👩‍👩‍👧‍👦'],
        ['composed and decomposed', 'é e\u0301 Å \u212b ﬁ'],
        ['right to left, with marks', '\u202eעברית\u200f العربية'],
        ['a byte order mark, alone and within', '\ufeffa\ufeff'],
        ['non-characters and replacement characters', '\ufffe\uffff\ufffd'],
        [
            'every control character but NUL',
            String.fromCharCode(...Array.from({ length: 31 }, (_, i) => i + 1), 127, 133),
        ],
        ['line ends of every kind', '\r\n \n \r \u2028 \u2029'],
        ['white space at both ends', ' \t text \n'],
        ['quotes and escapes', `"'\\ \\u0041 \\n %s %00 ' OR 1=1 -- {"t":"encrypted"}`],
        ['what looks like a number or a flag', '0012e3'],
    ])('text %s', async (_, text) => {
        expect(await received(await createAccount(server), text, '')).toEqual(sent(text, ''));
    });

    it('1,000,000 bytes, as ASCII and as Unicode', async () => {
        const account = await createAccount(server);
        for (const text of [btoa('x'.repeat(750_000)), '😀é'.repeat(166_666) + 'abcd']) {
            expect(Buffer.byteLength(text)).toBe(1_000_000);
            const { body } = await account.call('POST', '/v1/sessions', { tag: text.slice(0, 8), metadata: text });
            const path = `/v1/sessions/${body.session.id}`;
            expect((await account.call('GET', path)).body.session.metadata === text).toBe(true);
            await account.call('POST', `/v3/sessions/${body.session.id}/messages`, {
                messages: [{ localId: 'x', content: text }],
            });
            const list = await account.call('GET', `/v3/sessions/${body.session.id}/messages`);
            expect(list.body.messages[0].content.c === text).toBe(true);
        }
    });
});

/** What a client is to get back of a text that it put wherever it can, and of a key. */
function sent(text: string, dataEncryptionKey: string) {
    const session: Texts = { metadata: text, agentState: `${text}!`, dataEncryptionKey };
    const contents = [{ t: 'encrypted', c: text }, { [text]: [text] }];
    return {
        rest: { session, contents },
        trpc: { session, contents },
        told: { session: { ...session, agentState: text } as Texts, contents, agentState: `${text}!` },
    };
}

/** Puts a text wherever a client can, and a key, and reads them back through both doors and from the updates. */
async function received(
    account: TestAccount,
    text: string,
    dataEncryptionKey: string,
): Promise<ReturnType<typeof sent>> {
    const input = { tag: crypto.randomUUID(), metadata: text, agentState: text, dataEncryptionKey };
    const { id } = (await account.call('POST', '/v1/sessions', input)).body.session;
    await account.call('POST', `/v3/sessions/${id}/messages`, { messages: [{ localId: 'v3', content: text }] });
    await account.call('POST', `/v1/sessions/${id}/messages`, { localId: 'v1', content: { [text]: [text] } });
    await account.call('PUT', `/v1/sessions/${id}/agent-state`, { agentState: `${text}!`, expectedVersion: 1 });

    const api = createClient(server, account.token);
    const { body: rest } = await account.call('GET', `/v1/sessions/${id}/messages?sinceSeq=0`);
    const trpc = await api.messages.recent.query({ id, sinceSeq: 0 });
    const updates = (await updatesOf(server, account)).slice(-4).map(({ update }) => update.body);
    const messages = updates.slice(1, 3).map(({ message }) => message as Content);
    return {
        rest: {
            session: textsOf((await account.call('GET', `/v1/sessions/${id}`)).body.session),
            contents: contentsOf(rest.messages),
        },
        trpc: { session: textsOf((await api.sessions.get.query({ id })).session), contents: contentsOf(trpc.messages) },
        told: {
            session: textsOf(updates[0] as never),
            contents: contentsOf(messages),
            agentState: (updates[3]!.agentState as { value: string }).value,
        },
    };
}

interface Content {
    content?: unknown;
}

const contentsOf = (messages: Content[]) => messages.map(({ content }) => content as never);

interface Texts {
    metadata: string;
    agentState: string | null;
    dataEncryptionKey: string | null;
}

function textsOf({ metadata, agentState, dataEncryptionKey }: Texts): Texts {
    return { metadata, agentState, dataEncryptionKey };
}
