import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAccount, createMachine } from '@test/helpers/account';
import { appendTexts } from '@test/helpers/messages';
import { resyncs, seqs, startPublications } from '@test/helpers/publications';
import { connect, settled } from '@test/helpers/socket';
import { updatesOf } from '@test/helpers/updates';

const { server, sound, soundly, loseNext, endPatience, delay, setUp } = startPublications();

describe.each(['hub', 'gateway'] as const)('P5 resume of a socket in the %s: updates', (host) => {
    it('that were missed come at once when it reconnects, as they were sent live', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        await appendTexts(account, sid, ['a', 'b']);
        await createMachine(account);
        await settled(soundly(account), [app]);
        const back = await connect(sound, account, { host, lastSeq: 2 });
        await settled(soundly(account), [back]);
        expect(back.updates()).toEqual(app.updates().slice(1));
        expect(back.frames[0]).toMatchObject({ event: 'connected', data: { seq: 5 } });
        const cli = await connect(sound, account, { host, clientType: 'session-scoped', sessionId: sid, lastSeq: 0 });
        await settled(soundly(account), [cli]);
        expect(seqs(cli)).toEqual([2, 3]);
    });

    it('after a number of the future or of before the log are a resync', async () => {
        const { account, sid } = await setUp();
        await env.ACCOUNT_HUB.getByName(account.id).publish({ seq: 1, updates: [], ephemerals: [] });
        await appendTexts(account, sid, ['a']);
        const back = await connect(sound, account, { host, lastSeq: 3 });
        await settled(soundly(account), [back]);
        expect([seqs(back), resyncs(back)]).toEqual([[], [{ seq: 2 }]]);
        for (const seq of [3, 1e15]) {
            expect(await back.request('request-updates-since', { seq })).toEqual({
                success: false,
                error: 'resync-required',
            });
        }
        const legacy = { sessions: { [sid]: 1 }, machines: {}, artifacts: {} };
        expect(await back.request('request-updates-since', legacy)).toEqual({
            success: false,
            error: 'resync-required',
        });
        expect(await back.request('request-updates-since', { seq: 2 })).toEqual({
            success: true,
            updates: [],
            seq: 2,
            hasMore: false,
        });
    });

    it('begin with the account, whichever of its first publications was quicker', async () => {
        const account = await createAccount(server);
        const hub = env.ACCOUNT_HUB.getByName(account.id);
        const body = { t: 'update-account' as const, id: account.id };
        const update = (seq: number) => ({ update: { id: `${seq}`, seq, body, createdAt: seq }, to: {} });
        await hub.publish({ seq: 3, updates: [], ephemerals: [] });
        await hub.publish({ seq: 3, updates: [update(2), update(3)], ephemerals: [] });
        await hub.publish({ seq: 1, updates: [update(1)], ephemerals: [] });
        expect(await updatesOf(server, account)).toEqual([update(1), update(2), update(3)]);
    });

    it('are missed from the first publication of an account on', async () => {
        const account = await createAccount(server);
        loseNext();
        const { status } = await account.call('POST', '/v1/sessions', { tag: 'lost', metadata: 'bQ==' });
        expect(status).toBe(200);
        const app = await connect(sound, account, { host });
        await endPatience(account);
        expect((await app.next(({ event }) => event === 'resync')).data).toEqual({ seq: 1 });
    });

    it('that were lost at the tail are noticed by a connect', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        loseNext();
        await appendTexts(account, sid, ['lost']);
        const other = await connect(sound, account, { host, lastSeq: 1 });
        expect(other.frames[0]?.data.seq).toBe(2);
        await endPatience(account);
        for (const socket of [app, other]) {
            expect((await socket.next(({ event }) => event === 'resync')).data).toEqual({ seq: 2 });
        }
    });

    it('that were lost at the tail are noticed by a resume', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        loseNext();
        await appendTexts(account, sid, ['lost']);
        expect(await app.request('request-updates-since', { seq: 1 })).toEqual({
            success: false,
            error: 'resync-required',
        });
        expect((await app.next(({ event }) => event === 'resync')).data).toEqual({ seq: 2 });
        expect(resyncs(app)).toHaveLength(1);
    });

    it('that are only late are waited for by a resume', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        delay(() => 300);
        const written = appendTexts(account, sid, ['late']);
        await vi.waitUntil(
            async () =>
                (await server.env.DB.prepare('SELECT seq FROM Account WHERE id = ?').bind(account.id).first('seq')) ===
                2,
            20_000,
        );
        expect(await app.request('request-updates-since', { seq: 1 })).toMatchObject({
            success: true,
            updates: [{ seq: 2 }],
        });
        await written;
        await settled(soundly(account), [app]);
        expect([seqs(app), resyncs(app)]).toEqual([[2], []]);
    });

    it('that overtake each other all the time are waited for only as far as the account has them', async () => {
        vi.useFakeTimers({ toFake: ['Date'] });
        onTestFinished(() => void vi.useRealTimers());
        const { account } = await setUp();
        const app = await connect(sound, account, { host });
        const publish = async (seq: number) => {
            const update = {
                id: `${seq}`,
                seq,
                body: { t: 'update-account' as const, id: account.id },
                createdAt: seq,
            };
            await env.ACCOUNT_HUB.getByName(account.id).publish({ seq, updates: [{ update, to: {} }], ephemerals: [] });
        };
        const wait = (ms: number) => vi.setSystemTime(Date.now() + ms);
        await publish(3);
        const page = { success: true, hasMore: false };
        const upToNow = { ...page, seq: 1, updates: [] };
        expect(await app.request('request-updates-since', { seq: 1 })).toEqual(upToNow);
        await env.DB.prepare('UPDATE Account SET seq = 5 WHERE id = ?').bind(account.id).run();
        const missed = app.request('request-updates-since', { seq: 1 });
        // It is waited for when a later frame of another socket has been answered.
        const other = await connect(sound, account, { host });
        wait(1_500);
        await publish(2);
        await publish(5);
        wait(1_000);
        await settled(soundly(account), [other]);
        await publish(4);
        expect(await missed).toMatchObject({
            ...page,
            seq: 5,
            updates: [{ seq: 2 }, { seq: 3 }, { seq: 4 }, { seq: 5 }],
        });
        expect(resyncs(app)).toEqual([]);
    });

    it('of many megabytes are resumed page by page', async () => {
        const { account, sid } = await setUp();
        const text = 'x'.repeat(300_000);
        for (let i = 0; i < 7; i++) await appendTexts(account, sid, [text]);
        const back = await connect(sound, account, { host, lastSeq: 1 });
        await settled(soundly(account), [back]);
        expect(seqs(back)).toEqual([2, 3, 4, 5, 6, 7, 8]);
        const pages: number[][] = [];
        for (let seq = 1, hasMore = true; hasMore;) {
            const page = await back.request('request-updates-since', { seq });
            expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(1_000_000);
            pages.push(page.updates.map((update: { seq: number }) => update.seq));
            ({ seq, hasMore } = page);
        }
        expect(pages).toEqual([[2, 3, 4], [5, 6, 7], [8]]);
    });

    it('of a whole log come to one that was away, on reconnect or page by page, and to no number of them at once', async () => {
        vi.useFakeTimers({ toFake: ['Date'] });
        onTestFinished(() => void vi.useRealTimers());
        const { account } = await setUp();
        const hub = env.ACCOUNT_HUB.getByName(account.id);
        const size = 650_000;
        const [first, last] = [2, 31];
        await env.DB.prepare('UPDATE Account SET seq = ? WHERE id = ?').bind(last, account.id).run();
        for (let seq = first; seq <= last; seq++) {
            const body = { t: 'delete-session' as const, sid: 'x'.repeat(size) };
            const update = { id: `${seq}`, seq, createdAt: seq, body };
            await hub.publish({ seq, updates: [{ update, to: {} }], ephemerals: [] });
        }
        const all = Array.from({ length: last - 1 }, (_, i) => first + i);
        const back = await connect(sound, account, { host, lastSeq: 1 });
        await settled(soundly(account), [back]);
        expect([seqs(back), resyncs(back)]).toEqual([all, []]);
        const another = await connect(sound, account, { host, lastSeq: 1 });
        await settled(soundly(account), [another]);
        expect([seqs(another), resyncs(another)]).toEqual([[], [{ seq: last }]]);
        // A little is to be had all the same.
        const little = await connect(sound, account, { host, lastSeq: last - 1 });
        await settled(soundly(account), [little]);
        expect(seqs(little)).toEqual([last]);

        vi.setSystemTime(Date.now() + 60_000);
        const paged: number[] = [];
        for (let seq = 1, hasMore = true; hasMore;) {
            const page = await back.request('request-updates-since', { seq });
            paged.push(...page.updates.map((update: { seq: number }) => update.seq));
            ({ seq, hasMore } = page);
        }
        expect(paged).toEqual(all);
        const refusals = await Promise.all(all.map(() => back.request('request-updates-since', { seq: 1 })));
        expect(refusals.at(-1)).toEqual({ success: false, error: 'resync-required' });
    }, 60_000);

    it('over 1 MB are delivered, and force whoever missed them to start over', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        await account.call('POST', '/v1/sessions', {
            tag: 'big',
            metadata: 'm'.repeat(800_000),
            agentState: 's'.repeat(600_000),
        });
        await appendTexts(account, sid, ['after']);
        await settled(soundly(account), [app]);
        expect(seqs(app)).toEqual([2, 3]);
        expect(await app.request('request-updates-since', { seq: 1 })).toEqual({
            success: false,
            error: 'resync-required',
        });
        expect(await app.request('request-updates-since', { seq: 2 })).toMatchObject({
            success: true,
            updates: [{ seq: 3 }],
        });
        const back = await connect(sound, account, { host, lastSeq: 1 });
        await settled(soundly(account), [back]);
        expect([seqs(back), resyncs(back)]).toEqual([[], [{ seq: 3 }]]);
    });
});

describe('P5 a socket that joins in the midst of updates', () => {
    it.each(['hub', 'gateway'] as const)('of the %s is connected first, and misses none', async (host) => {
        const { account, sid } = await setUp();
        await connect(sound, account, { host });
        const writes = Array.from({ length: 15 }, (_, i) => appendTexts(account, sid, [`${i}`]));
        const sockets = await Promise.all(
            Array.from({ length: 5 }, () => connect(sound, account, { host, lastSeq: 0 })),
        );
        await Promise.all(writes);
        await settled(soundly(account), sockets);
        for (const socket of sockets) {
            expect(socket.frames[0]?.event).toBe('connected');
            expect(seqs(socket)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
        }
    });
});
