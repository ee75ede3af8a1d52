import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { ServiceContext } from '@/context';
import { announce, createHubs } from '@/realtime/publish';
import type { Publication } from '@/realtime/updates';

/** What `announce` needs of a context: a clock, ids, and a hub that fails as often as it is told to. */
function contextWith(failures: number) {
    const published: { accountId: string; publication: Publication }[] = [];
    const logged: unknown[] = [];
    const work: Promise<unknown>[] = [];
    let ids = 0;
    const ctx = {
        now: () => 1_700_000_000_000,
        newId: () => `id ${++ids}`,
        log: { error: (...line: unknown[]) => logged.push(line) },
        hubs: {
            async publish(accountId: string, publication: Publication) {
                published.push({ accountId, publication });
                if (published.length <= failures) throw new Error('overloaded');
            },
        },
        waitUntil: (promise: Promise<unknown>) => work.push(promise),
    };
    return { ctx: ctx as unknown as ServiceContext, published, logged, settled: () => Promise.all(work) };
}

const body = (sid: string) => ({ t: 'delete-session' as const, sid });
const update = (sid: string) => ({ body: body(sid), to: { session: 's' } });

describe('announce', () => {
    it('gives updates the last numbers up to seq, in their order', async () => {
        const { ctx, published, settled } = contextWith(0);
        announce(ctx, { accountId: 'a', seq: 7, updates: [update('first'), update('second')] });
        await settled();
        const createdAt = 1_700_000_000_000;
        expect(published).toEqual([
            {
                accountId: 'a',
                publication: {
                    seq: 7,
                    updates: [
                        { update: { id: 'id 1', seq: 6, body: body('first'), createdAt }, to: { session: 's' } },
                        { update: { id: 'id 2', seq: 7, body: body('second'), createdAt }, to: { session: 's' } },
                    ],
                    ephemerals: [],
                },
            },
        ]);
    });

    it('tells how far the account has come even if there is nothing else to tell', async () => {
        const { ctx, published, settled } = contextWith(0);
        announce(ctx, { accountId: 'a', seq: 7 });
        await settled();
        expect(published).toEqual([{ accountId: 'a', publication: { seq: 7, updates: [], ephemerals: [] } }]);
    });

    it('hands on ephemerals, and which socket is not to get its own update back', async () => {
        const { ctx, published, settled } = contextWith(0);
        const ephemerals = [{ ephemeral: { type: 'connected' as const, seq: 1 }, to: {} }];
        announce(ctx, { accountId: 'a', seq: 1, updates: [update('t')], ephemerals, skip: 'socket' });
        await settled();
        expect(published[0]?.publication).toMatchObject({ updates: [{ skip: 'socket' }], ephemerals });
    });

    it.each([
        [0, 1, 0],
        [1, 2, 1],
        [3, 4, 3],
        [9, 4, 4],
    ])('after %i failures has tried %i times and logged %i lines', async (failures, attempts, lines) => {
        vi.useFakeTimers();
        const { ctx, published, logged, settled } = contextWith(failures);
        announce(ctx, { accountId: 'a', seq: 1, updates: [update('t')] });
        await vi.runAllTimersAsync();
        await settled();
        vi.useRealTimers();
        expect(published).toHaveLength(attempts);
        // Always the same numbers and ids, by which the hub knows what it has.
        expect(new Set(published.map((each) => JSON.stringify(each))).size).toBe(1);
        expect(logged).toHaveLength(lines);
    });

    it('waits longer before each further try, and less than two seconds in all', async () => {
        vi.useFakeTimers();
        const { ctx, published } = contextWith(9);
        const times: number[] = [];
        const startedAt = Date.now();
        announce(ctx, { accountId: 'a', seq: 1 });
        for (let ms = 0; ms <= 2000; ms++) {
            await vi.advanceTimersByTimeAsync(1);
            while (times.length < published.length) times.push(Date.now() - startedAt);
        }
        vi.useRealTimers();
        const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
        expect(pauses).toHaveLength(3);
        expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    });
});

describe('createHubs', () => {
    it('reaches the hub of the account', async () => {
        const hubs = createHubs(env.ACCOUNT_HUB);
        const addressed = { update: { id: 'u', seq: 1, body: body('one'), createdAt: 0 }, to: {} };
        await hubs.publish('one', { seq: 1, updates: [addressed], ephemerals: [] });
        // The stub's type has it without a promise.
        const log = async (accountId: string) => env.ACCOUNT_HUB.getByName(accountId).updatesSince(0);
        expect(await log('one')).toEqual([addressed]);
        expect(await log('other')).toEqual([]);
    });
});
