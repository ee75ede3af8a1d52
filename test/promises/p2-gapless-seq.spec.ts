import { describe, expect, it, vi } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

describe('P2 gapless seq', () => {
    it('numbers 50 parallel appends of mixed sizes 1, 2, 3 …, each as one block', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const blocks = await Promise.all(
            Array.from({ length: 50 }, (_, i) =>
                append(account, sid, i, (i % 7) + 1).then(({ body }) => body.messages),
            ),
        );
        await expectGapless(account, sid, blocks);
        const updates = (await updatesOf(server, account, 1)).map(({ update }) => update);
        expect(updates.map(({ body }) => (body.message as { seq: number }).seq)).toEqual(updates.map((_, i) => i + 1));
        expect(updates).toHaveLength(blocks.flat().length);
    });

    it('numbers parallel appends to two sessions independently', async () => {
        const account = await createAccount(server);
        const sids = [await createSession(account), await createSession(account)] as const;
        await Promise.all(Array.from({ length: 40 }, (_, i) => append(account, sids[i % 2]!, i, (i % 3) + 1)));
        for (const sid of sids) {
            const seqs = (await readAll(account, sid)).map(({ seq }) => seq);
            expect(seqs).toEqual(seqs.map((_, i) => i + 1));
        }
    });

    it('keeps to it while the database fails before and after it has committed, and clients try again', async () => {
        const errors = vi.spyOn(console, 'error').mockReturnValue();
        const account = await createAccount(server);
        const sid = await createSession(account);
        let refused = 0;
        const send = async (i: number) => {
            for (;;) {
                const { status, body } = await append(account, sid, i, (i % 7) + 1);
                if (status === 200) return body.messages;
                expect([status, body.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
                refused += 1;
            }
        };
        const first = server.db.roundTrips;
        server.db.failBy((call) =>
            call - first > 60 ? undefined : (['before', undefined, 'after'] as const)[call % 3],
        );
        const blocks = await Promise.all(Array.from({ length: 50 }, (_, i) => send(i)));
        server.db.failBy(null);
        errors.mockRestore();
        expect(refused).toBe(40);
        await expectGapless(account, sid, blocks);
    });

    it('counts on after messages of every kind and door', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        await Promise.all(
            Array.from({ length: 30 }, (_, i) =>
                i % 3 === 0
                    ? append(account, sid, i, 2)
                    : account.call(
                          'POST',
                          `/v1/sessions/${sid}/messages`,
                          i % 3 === 1 ? { content: i } : { content: i, localId: `${i}` },
                      ),
            ),
        );
        expect((await readAll(account, sid)).map(({ seq }) => seq)).toEqual(
            Array.from({ length: 40 }, (_, i) => i + 1),
        );
    });
});

function append(account: TestAccount, sid: string, sender: number, count: number) {
    const messages = Array.from({ length: count }, (_, i) => ({
        localId: `${sender}-${i}`,
        content: `${sender} ${i}`,
    }));
    return account.call('POST', `/v3/sessions/${sid}/messages`, { messages });
}

/** The session holds just these blocks of messages, each in its order; every message has one seq and one account seq. */
async function expectGapless(
    account: TestAccount,
    sid: string,
    blocks: { localId: string; seq: number }[][],
): Promise<void> {
    const count = blocks.flat().length;
    const stored = await readAll(account, sid);
    expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    for (const block of blocks) {
        const first = block[0]?.seq ?? 0;
        expect(block.map(({ seq }) => seq)).toEqual(block.map((_, i) => first + i));
        expect(stored.slice(first - 1, first - 1 + block.length).map(({ localId }) => localId)).toEqual(
            block.map(({ localId }) => localId),
        );
    }
    expect((await account.call('GET', `/v1/sessions/${sid}`)).body.session.seq).toBe(count);
    expect(await seqOf(server, account)).toBe(1 + count);
}
