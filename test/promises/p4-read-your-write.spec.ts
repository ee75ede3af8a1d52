import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();
const STOCK = { 'X-Happy-Client': 'ios/1.7' };

/** Every place that shows a session, by either door; null where it is not. */
async function views(account: TestAccount, id: string): Promise<unknown[]> {
    const api = createClient(server, account.token).sessions;
    const one = async (path: string) => (await account.call('GET', path)).body.session ?? null;
    const among = (sessions: { id: string }[]) => sessions.find((session) => session.id === id) ?? null;
    return Promise.all([
        one(`/v1/sessions/${id}`),
        account.call('GET', '/v1/sessions').then(({ body }) => among(body.sessions)),
        account.call('GET', '/v2/sessions').then(({ body }) => among(body.sessions)),
        api.list.query({}).then(({ sessions }) => among(sessions)),
        api.page.query({}).then(({ sessions }) => among(sessions)),
        api.get.query({ id }).then(
            ({ session }) => session,
            () => null,
        ),
    ]);
}

describe('P4 read your write', () => {
    it('a session is everywhere as its last write left it, while others write too', async () => {
        const account = await createAccount(server);
        await Promise.all(
            Array.from({ length: 8 }, async (_, i) => {
                const { body } = await account.call('POST', '/v1/sessions', { tag: `${i}`, metadata: 'm' });
                const { id } = body.session;
                expect(await views(account, id)).toEqual(Array(6).fill(body.session));
                await account.call('PUT', `/v1/sessions/${id}/metadata`, { metadata: `new ${i}`, expectedVersion: 1 });
                const written = expect.objectContaining({ metadata: `new ${i}`, metadataVersion: 2 });
                expect(await views(account, id)).toEqual(Array(6).fill(written));
                await account.call('POST', `/v1/sessions/${id}/archive`);
                expect(await views(account, id)).toEqual(Array(6).fill(expect.objectContaining({ active: false })));
                await account.call('DELETE', `/v1/sessions/${id}`, undefined, STOCK);
                expect(await views(account, id)).toEqual(Array(6).fill(null));
            }),
        );
    });

    it('a message is in every list as soon as it is answered, while others write too', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const api = createClient(server, account.token).messages;
        await Promise.all(
            Array.from({ length: 8 }, async (_, i) => {
                const [mine] = await appendTexts(account, sid, [`text ${i}`]);
                const seq = mine?.seq ?? 0;
                const messages = `sessions/${sid}/messages`;
                const lists: { id: string; seq: number; content: unknown }[][] = await Promise.all([
                    account.call('GET', `/v1/${messages}`).then(({ body }) => body.messages),
                    account.call('GET', `/v1/${messages}?sinceSeq=${seq - 1}`).then(({ body }) => body.messages),
                    account.call('GET', `/v2/${messages}`).then(({ body }) => body.messages),
                    account.call('GET', `/v3/${messages}?after_seq=${seq - 1}`).then(({ body }) => body.messages),
                    account.call('GET', `/v3/${messages}?before_seq=${seq + 1}`).then(({ body }) => body.messages),
                    api.list.query({ sessionId: sid }).then((page) => page.messages),
                    api.recent
                        .query({ id: sid })
                        .then((page) => page.messages as { id: string; seq: number; content: unknown }[]),
                ]);
                for (const list of lists) {
                    expect(list.find(({ id }) => id === mine?.id)).toMatchObject({ seq, content: { c: `text ${i}` } });
                }
                expect((await account.call('GET', `/v1/sessions/${sid}`)).body.session.seq).toBeGreaterThanOrEqual(seq);
            }),
        );
    });
});
