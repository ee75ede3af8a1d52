import { describe, expect, it, vi } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { act, bodiesOf, standing, twoAccounts } from '@test/helpers/friends';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf } from '@test/helpers/updates';

const server = startServer();

describe('friends', () => {
    it('asks and is accepted', async () => {
        const [a, b] = await twoAccounts(server);
        expect(await act('add', a, b)).toBe('requested');
        expect(await standing(a, b)).toEqual(['requested', 'pending']);
        expect(await act('add', b, a)).toBe('friend');
        expect(await standing(a, b)).toEqual(['friend', 'friend']);
    });

    it('withdraws a request, which then cannot be accepted', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        expect(await act('remove', a, b)).toBe('rejected');
        expect(await standing(a, b)).toEqual(['rejected', 'none']);
        expect(await act('add', b, a)).toBe('requested');
        expect(await standing(a, b)).toEqual(['pending', 'requested']);
    });

    it('ends a friendship, which the other may have back', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        await act('add', b, a);
        expect(await act('remove', a, b)).toBe('pending');
        expect(await standing(a, b)).toEqual(['pending', 'requested']);
        expect(await act('add', a, b)).toBe('friend');
    });

    it.each(['add', 'remove'])(
        '%s answers null for oneself and for nobody, alike and without a number',
        async (action) => {
            const a = await createAccount(server);
            for (const uid of [a.id, 'nobody', "' OR 1=1 --", '%']) {
                const { status, body } = await a.call('POST', `/v1/friends/${action}`, { uid });
                expect({ status, body }).toEqual({ status: 200, body: { user: null } });
            }
            expect(await seqOf(server, a)).toBe(0);
        },
    );

    it('lets both be friends when both ask at once, and numbers the updates without gaps', async () => {
        const [a, b] = await twoAccounts(server);
        await Promise.all([act('add', a, b), act('add', b, a)]);
        expect(await standing(a, b)).toEqual(['friend', 'friend']);
        for (const account of [a, b]) {
            const told = await bodiesOf(server, account);
            expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
            expect(await seqOf(server, account)).toBe(told.length);
        }
    });

    it('makes one friendship of 20 acceptances at once', async () => {
        const [a, b] = await twoAccounts(server);
        await act('add', a, b);
        const answers = await Promise.all(Array.from({ length: 20 }, () => act('add', b, a)));
        expect(answers).toEqual(Array(20).fill('friend'));
        expect((await bodiesOf(server, a)).filter(({ status }) => status === 'friend')).toHaveLength(1);
        expect(await seqOf(server, a)).toBe(3);
    });

    it('takes one round trip, whatever happens', async () => {
        const [a, b] = await twoAccounts(server);
        await standing(a, b);
        const steps = [
            () => act('add', a, b),
            () => act('add', a, b),
            () => act('add', b, a),
            () => act('remove', a, b),
            () => a.call('POST', '/v1/friends/add', { uid: 'nobody' }),
        ];
        for (const step of steps) expect(await roundTripsOf(server, step)).toBe(1);
    });

    it('writes all or nothing when the database fails before, and loses nothing when it fails after', async () => {
        const log = vi.spyOn(console, 'error').mockImplementation(() => {});
        const [a, b] = await twoAccounts(server);
        await standing(a, b);
        server.db.failNext('before');
        expect((await a.call('POST', '/v1/friends/add', { uid: b.id })).status).toBe(503);
        expect(await standing(a, b)).toEqual(['none', 'none']);
        server.db.failNext('after');
        expect((await a.call('POST', '/v1/friends/add', { uid: b.id })).status).toBe(503);
        expect(await standing(a, b)).toEqual(['requested', 'pending']);
        expect(await act('add', a, b)).toBe('requested');
        expect(await seqOf(server, b)).toBe(2);
        log.mockRestore();
    });

    it('serves tRPC clients the same', async () => {
        const [a, b] = await twoAccounts(server);
        const { friends } = createClient(server, a.token);
        expect(await friends.add.mutate({ uid: b.id })).toMatchObject({ user: { id: b.id, status: 'requested' } });
        expect((await friends.list.query({})).friends).toHaveLength(1);
        expect(await friends.remove.mutate({ uid: b.id })).toMatchObject({ user: { status: 'rejected' } });
    });

    it.each([{}, { uid: '' }, { uid: 7 }, { uid: 'x'.repeat(129) }, { uid: 'a\0b' }, { uid: null }, []])(
        'refuses %j',
        async (input) => {
            const a = await createAccount(server);
            expect((await a.call('POST', '/v1/friends/add', input)).status).toBe(400);
            expect((await a.call('POST', '/v1/friends/remove', input)).status).toBe(400);
        },
    );
});
