import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('P1 idempotent append', () => {
    it('makes one message, one seq and one update of any number of appends with one localId, through whatever door', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const v3 = (localIds: string[]) =>
            account
                .call('POST', `/v3/sessions/${sid}/messages`, {
                    messages: localIds.map((localId) => ({ localId, content: 'c' })),
                })
                .then(({ body }) => body.messages);
        // Each sends for the localId it is given; some send others along.
        const doors: ((localId: string) => Promise<Facts[]>)[] = [
            (localId) => v3([localId]),
            (localId) => v3([localId, localId]),
            (localId) => v3(['0', localId, '9']),
            (localId) =>
                account
                    .call('POST', `/v1/sessions/${sid}/messages`, { localId, content: { any: 'JSON' } })
                    .then(({ body }) => [body.message]),
            (localId) =>
                createClient(server, account.token)
                    .messages.create.mutate({ id: sid, localId, content: 1 })
                    .then(({ message }) => [message]),
            async (localId) => {
                const input = { sessionId: sid, messages: [{ localId, content: 'c' }] };
                return (await createClient(server, account.token).messages.append.mutate(input)).messages;
            },
        ];
        const sends = Array.from({ length: 60 }, (_, i) => doors[i % doors.length]!(`${i % 10}`));
        const answers = (await Promise.all(sends)).flat();

        const stored = await readAll(account, sid);
        expect(stored.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        expect(stored.map(({ localId }) => localId).sort()).toEqual([...'0123456789']);
        const identity = ({ localId, id, seq }: Facts) => `${localId} ${id} ${seq}`;
        expect([...new Set(answers.map(identity))].sort()).toEqual(stored.map(identity).sort());

        const updates = (await updatesOf(server, account, 1)).map(({ update }) => update);
        expect(updates.map(({ body }) => (body.message as Facts).id)).toEqual(stored.map(({ id }) => id));
        expect(updates.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        expect(await seqOf(server, account)).toBe(11);
    });
});

interface Facts {
    id: string;
    seq: number;
    localId: string | null;
}
