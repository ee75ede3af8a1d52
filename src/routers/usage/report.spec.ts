import { describe, expect, it } from 'vitest';
import type { Publication } from '@/realtime/updates';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf, told } from '@test/helpers/answers';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf } from '@test/helpers/updates';

const server = startServer();
const PATH = '/v1/usage/report';
const tokens = { total: 15, input: 10, output: 5 };
const cost = { total: 0.3, input: 0.1, output: 0.2 };

async function reportsOf(account: TestAccount): Promise<{ sessionId: string | null; key: string; data: string }[]> {
    const { results } = await server.env.DB.prepare(
        'SELECT sessionId, key, data FROM UsageReport WHERE accountId = ? ORDER BY createdAt, key',
    )
        .bind(account.id)
        .all<{ sessionId: string | null; key: string; data: string }>();
    return results;
}

describe('POST /v1/usage/report', () => {
    const clock = holdClock();

    it('keeps one report per session and key; a later one replaces it', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        const first = await account.call('POST', PATH, { key: 'claude', sessionId, tokens, cost });
        expect(first.body).toEqual({
            success: true,
            reportId: expect.any(String),
            createdAt: Date.now(),
            updatedAt: Date.now(),
        });
        clock.advance(5000);
        const more = { total: 20, output: 20 };
        const second = await account.call('POST', PATH, { key: 'claude', sessionId, tokens: more, cost });
        expect(second.body).toEqual({ ...first.body, updatedAt: first.body.updatedAt + 5000 });
        expect(await reportsOf(account)).toEqual([
            { sessionId, key: 'claude', data: JSON.stringify({ tokens: more, cost }) },
        ]);
    });

    it('keeps reports without a session, of other sessions and under other keys apart', async () => {
        const account = await createAccount(server);
        const [one, two] = [await createSession(account), await createSession(account)];
        for (const [sessionId, key] of [
            [one, 'a'],
            [one, 'b'],
            [two, 'a'],
            [null, 'a'],
            [undefined, 'a'],
            [null, 'b'],
        ]) {
            expect((await account.call('POST', PATH, { key, sessionId, tokens, cost })).status).toBe(200);
        }
        const kept = await reportsOf(account);
        expect(kept).toHaveLength(5);
        expect(kept.filter(({ sessionId }) => sessionId === null)).toHaveLength(2);
    });

    it('makes one report of 20 at once, with and without a session', async () => {
        const account = await createAccount(server);
        const session = await createSession(account);
        for (const sessionId of [session, null]) {
            const answers = await Promise.all(
                Array.from({ length: 20 }, () => account.call('POST', PATH, { key: 'k', sessionId, tokens, cost })),
            );
            expect(new Set(answers.map(({ body }) => body.reportId)).size).toBe(1);
        }
        expect(await reportsOf(account)).toHaveLength(2);
    });

    it('P8 isolation: does not tell somebody else’s session from none', async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const sessionId = await createSession(owner);
        const theirs = await other.call('POST', PATH, { key: 'k', sessionId, tokens, cost });
        const none = await other.call('POST', PATH, { key: 'k', sessionId: 'none', tokens, cost });
        expect(told(theirs)).toEqual({ status: 404, body: { error: 'Session not found', code: 'NOT_FOUND' } });
        expect(told(theirs)).toEqual(told(none));
        expect(await reportsOf(other)).toEqual([]);
    });

    it('takes one round trip and no number', async () => {
        const account = await createAccount(server);
        await account.call('GET', '/v1/feed');
        expect(await roundTripsOf(server, () => account.call('POST', PATH, { key: 'k', tokens, cost }))).toBe(1);
        expect(await seqOf(server, account)).toBe(0);
    });

    it('serves tRPC clients the same', async () => {
        const { usage } = createClient(server, (await createAccount(server)).token);
        expect(await usage.report.mutate({ key: 'k', tokens, cost })).toMatchObject({ success: true });
    });

    it.each([
        {},
        { key: '', tokens, cost },
        { key: 'x'.repeat(129), tokens, cost },
        { key: 'k', cost },
        { key: 'k', tokens, cost: {} },
        { key: 'k', tokens: { input: 1 }, cost },
        { key: 'k', tokens: { total: '1' }, cost },
        { key: 'k', tokens: { total: -1 }, cost },
        { key: 'k', tokens: { total: 1e300 }, cost },
        { key: 'k', tokens: { total: null }, cost },
        { key: 'k', tokens: [1], cost },
        { key: 'k', tokens: { total: 1, ['x'.repeat(65)]: 1 }, cost },
        { key: 'k', tokens: { total: 1, 'a\0b': 1 }, cost },
        {
            key: 'k',
            tokens: { total: 1, ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 1])) },
            cost,
        },
        { key: 'k', tokens: '__total', cost },
        { key: 'k', sessionId: 7, tokens, cost },
    ])('refuses %j', async (input) => {
        const account = await createAccount(server);
        expect((await account.call('POST', PATH, input)).status).toBe(400);
        expect(await reportsOf(account)).toEqual([]);
    });
});

describe('the live figures of a report', () => {
    it('go to user-scoped sockets for a session, and nowhere without one', async () => {
        const published: Publication[] = [];
        const hub = { publish: async (publication: Publication) => void published.push(publication) };
        const watched = startServer({ ACCOUNT_HUB: { getByName: () => hub } });
        const account = await createAccount(watched);
        const sessionId = await createSession(account);
        published.length = 0;
        const { body } = await account.call('POST', PATH, { key: 'claude', sessionId, tokens, cost });
        await account.call('POST', PATH, { key: 'claude', tokens, cost });
        expect(published.map(({ updates, ephemerals }) => [updates, ephemerals])).toEqual([
            [
                [],
                [
                    {
                        ephemeral: {
                            type: 'usage',
                            id: sessionId,
                            sid: sessionId,
                            key: 'claude',
                            tokens,
                            cost,
                            timestamp: body.updatedAt,
                        },
                        to: {},
                    },
                ],
            ],
            [[], []],
        ]);
    });
});
