import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { probeHubs } from '@test/helpers/hubs';
import { appendTexts, readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const hubs = probeHubs();
const server = startServer({ ACCOUNT_HUB: hubs.binding });

describe('P3 one order', () => {
    it('numbers all writes of an account 1, 2, 3 … in the order they were made, though publications overtake each other', async () => {
        const account = await createAccount(server);
        const sids = [await createSession(account), await createSession(account)] as const;
        let calls = 0;
        hubs.delay(() => (calls++ * 37) % 60);
        const writes = Array.from({ length: 40 }, (_, i): Promise<unknown> => {
            if (i % 10 === 7) return createSession(account);
            if (i % 10 === 3)
                return account.call('PUT', `/v1/sessions/${sids[0]}/metadata`, {
                    metadata: `${i}`,
                    expectedVersion: 1,
                });
            return appendTexts(account, sids[i % 2]!, [`${i}`, `${i} too`]);
        });
        await Promise.all(writes);

        const arrived = hubs.attempts.filter(({ accountId }) => accountId === account.id).map(({ seq }) => seq);
        expect(arrived).not.toEqual(arrived.toSorted((a, b) => a - b));
        const updates = (await updatesOf(server, account)).map(({ update }) => update);
        expect(updates.map(({ seq }) => seq)).toEqual(updates.map((_, i) => i + 1));
        expect(updates).toHaveLength(await seqOf(server, account));
        expect(new Set(updates.map(({ id }) => id)).size).toBe(updates.length);
        // One metadata write of four won, and says so once.
        expect(updates.filter(({ body }) => body.t === 'update-session')).toHaveLength(1);
        for (const sid of sids) {
            const told = updates.filter(({ body }) => body.sid === sid && body.t === 'new-message');
            const stored = await readAll(account, sid);
            expect(told.map(({ body }) => (body.message as { id: string }).id)).toEqual(stored.map(({ id }) => id));
        }
    });

    it('counts each account by itself', async () => {
        const accounts = await Promise.all(Array.from({ length: 5 }, () => createAccount(server)));
        // A hub keeps what comes after the first that it hears of, so that comes first here.
        await Promise.all(accounts.map((account) => createSession(account)));
        await Promise.all(accounts.flatMap((account) => Array.from({ length: 4 }, () => createSession(account))));
        for (const account of accounts) {
            expect((await updatesOf(server, account)).map(({ update }) => update.seq)).toEqual([1, 2, 3, 4, 5]);
        }
    });
});
