import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { roundTripsOf, told } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();
const PATH = '/v1/usage/query';
const HOUR = 3600;
/** A midnight in UTC, Unix seconds. */
const MIDNIGHT = Date.UTC(2025, 2, 30) / 1000;

interface Stored {
    at: number;
    tokens: Record<string, number>;
    cost?: Record<string, number>;
    sessionId?: string;
}

/** Stores reports made at given times, Unix seconds with fractions. */
async function store(account: TestAccount, reports: Stored[]): Promise<void> {
    const { DB } = server.env;
    const insert = DB.prepare(
        `INSERT INTO UsageReport (id, key, accountId, sessionId, data, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    await DB.batch(
        reports.map(({ at, tokens, cost = { total: 0 }, sessionId = null }) => {
            const time = Math.round(at * 1000);
            const [id, key] = [crypto.randomUUID(), crypto.randomUUID()];
            return insert.bind(id, key, account.id, sessionId, JSON.stringify({ tokens, cost }), time, time);
        }),
    );
}

describe('POST /v1/usage/query', () => {
    it('sums every kind of tokens and cost by hour, oldest first', async () => {
        const account = await createAccount(server);
        await store(account, [
            { at: MIDNIGHT + HOUR, tokens: { total: 1, input: 1 }, cost: { total: 0.5 } },
            { at: MIDNIGHT, tokens: { total: 10, input: 7, "it's": 3 }, cost: { total: 0.25, 'sonnet.4': 0.25 } },
            { at: MIDNIGHT + HOUR - 0.001, tokens: { total: 5, output: 5 }, cost: { total: 0.125 } },
        ]);
        const { status, body } = await account.call('POST', PATH, { groupBy: 'hour' });
        expect({ status, body }).toEqual({
            status: 200,
            body: {
                usage: [
                    {
                        timestamp: MIDNIGHT,
                        tokens: { total: 15, input: 7, "it's": 3, output: 5 },
                        cost: { total: 0.375, 'sonnet.4': 0.25 },
                        reportCount: 2,
                    },
                    {
                        timestamp: MIDNIGHT + HOUR,
                        tokens: { total: 1, input: 1 },
                        cost: { total: 0.5 },
                        reportCount: 1,
                    },
                ],
                groupBy: 'hour',
                totalReports: 3,
            },
        });
    });

    it('sums by day in UTC, unless told otherwise', async () => {
        const account = await createAccount(server);
        await store(account, [
            { at: MIDNIGHT - 0.001, tokens: { total: 1 } },
            { at: MIDNIGHT, tokens: { total: 2 } },
            { at: MIDNIGHT + 24 * HOUR - 0.001, tokens: { total: 4 } },
            { at: MIDNIGHT + 24 * HOUR, tokens: { total: 8 } },
        ]);
        for (const input of [
            {},
            { groupBy: 'day' },
            { groupBy: null, sessionId: null, startTime: null, endTime: null },
        ]) {
            const { body } = await account.call('POST', PATH, input);
            expect(body.groupBy).toBe('day');
            expect(
                body.usage.map((bucket: { timestamp: number; tokens: { total: number } }) => [
                    (bucket.timestamp - MIDNIGHT) / HOUR,
                    bucket.tokens.total,
                ]),
            ).toEqual([
                [-24, 1],
                [0, 6],
                [24, 8],
            ]);
        }
    });

    it('takes reports from the first to the last second asked for', async () => {
        const account = await createAccount(server);
        const at = [-0.001, 0, 10.999, 11].map((offset) => MIDNIGHT + offset);
        await store(
            account,
            at.map((time, i) => ({ at: time, tokens: { total: 10 ** i } })),
        );
        const total = async (input: object) => {
            const { body } = await account.call('POST', PATH, input);
            const sum = body.usage.reduce(
                (all: number, { tokens }: { tokens: { total: number } }) => all + tokens.total,
                0,
            );
            return [sum, body.totalReports];
        };
        expect(await total({ startTime: MIDNIGHT, endTime: MIDNIGHT + 10 })).toEqual([110, 2]);
        expect(await total({ startTime: MIDNIGHT + 11 })).toEqual([1000, 1]);
        expect(await total({ endTime: MIDNIGHT - 1 })).toEqual([1, 1]);
        expect(await total({ startTime: MIDNIGHT + 100, endTime: MIDNIGHT })).toEqual([0, 0]);
    });

    it('counts what was reported through the door', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        const report = { key: 'k', sessionId, tokens: { total: 3 }, cost: { total: 0.5 } };
        await account.call('POST', '/v1/usage/report', report);
        await account.call('POST', '/v1/usage/report', { ...report, tokens: { total: 4 } });
        const { body } = await account.call('POST', PATH, { sessionId });
        expect(body).toMatchObject({
            usage: [{ tokens: { total: 4 }, cost: { total: 0.5 }, reportCount: 1 }],
            totalReports: 1,
        });
    });

    it('P8 isolation: sums one session or all of the account, and nobody else’s', async () => {
        const [account, other] = [await createAccount(server), await createAccount(server)];
        const [one, two] = [await createSession(account), await createSession(account)];
        await store(account, [
            { at: MIDNIGHT, tokens: { total: 1 }, sessionId: one },
            { at: MIDNIGHT, tokens: { total: 2 }, sessionId: two },
            { at: MIDNIGHT, tokens: { total: 4 } },
        ]);
        await store(other, [{ at: MIDNIGHT, tokens: { total: 8 } }]);
        const sum = async (input: object) => (await account.call('POST', PATH, input)).body.usage[0].tokens.total;
        expect(await sum({})).toBe(7);
        expect(await sum({ sessionId: two })).toBe(2);
        expect((await other.call('POST', PATH, {})).body.usage[0].tokens.total).toBe(8);

        const theirs = await other.call('POST', PATH, { sessionId: one });
        expect(told(theirs)).toEqual({ status: 404, body: { error: 'Session not found', code: 'NOT_FOUND' } });
        expect(told(theirs)).toEqual(told(await other.call('POST', PATH, { sessionId: 'none' })));
    });

    it('adds up the largest amounts without overflow', async () => {
        const account = await createAccount(server);
        const total = Number.MAX_SAFE_INTEGER;
        await store(
            account,
            Array.from({ length: 2000 }, () => ({ at: MIDNIGHT, tokens: { total } })),
        );
        const { status, body } = await account.call('POST', PATH, {});
        expect(status).toBe(200);
        expect(body.usage[0].tokens.total / (total * 2000)).toBeCloseTo(1, 9);
        expect(body.usage[0].reportCount).toBe(2000);
    });

    it('gives at most 1,000 hours, the newest, and 50 kinds of each, total and the largest', async () => {
        const account = await createAccount(server);
        await store(
            account,
            Array.from({ length: 1001 }, (_, hour) => ({ at: MIDNIGHT + hour * HOUR, tokens: { total: 1 } })),
        );
        const kinds = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`kind-${i}`, 1000 + i]));
        await store(account, [{ at: MIDNIGHT + 1000 * HOUR, tokens: { total: 1, ...kinds } }]);
        const { body } = await account.call('POST', PATH, { groupBy: 'hour' });
        expect(body.usage).toHaveLength(1000);
        expect(body.usage[0].timestamp).toBe(MIDNIGHT + HOUR);
        expect(body.totalReports).toBe(1002);
        const { tokens } = body.usage[999];
        expect(Object.keys(tokens)).toHaveLength(50);
        expect(tokens).toMatchObject({ total: 2, 'kind-59': 1059, 'kind-11': 1011 });
        expect(tokens).not.toHaveProperty('kind-10');
    });

    it('takes one round trip', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        expect(await roundTripsOf(server, () => account.call('POST', PATH, {}))).toBe(1);
        expect(
            await roundTripsOf(server, () => account.call('POST', PATH, { sessionId, startTime: 1, endTime: 2 })),
        ).toBe(1);
    });

    it('serves tRPC clients the same', async () => {
        const { usage } = createClient(server, (await createAccount(server)).token);
        expect(await usage.query.query({ groupBy: 'hour' })).toEqual({ usage: [], groupBy: 'hour', totalReports: 0 });
    });

    it.each([
        { groupBy: 'week' },
        { startTime: -1 },
        { startTime: 1.5 },
        { endTime: '2025-01-01' },
        { endTime: 1e300 },
        { sessionId: '' },
        { sessionId: 'x'.repeat(129) },
    ])('refuses %j', async (input) => {
        const account = await createAccount(server);
        expect((await account.call('POST', PATH, input)).status).toBe(400);
    });
});
