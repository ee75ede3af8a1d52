import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SILENCE_MS } from '@/realtime/heartbeat';
import { createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { interceptGateways, renewHub } from '@test/helpers/hubs';
import { appendTexts } from '@test/helpers/messages';
import { resyncs, seqs, startPublications } from '@test/helpers/publications';
import { connect, settled } from '@test/helpers/socket';

const { sound, soundly, loseNext, endPatience, delay, setUp } = startPublications();

describe.each(['hub', 'gateway'] as const)('P6 live updates to a socket in the %s', (host) => {
    it('come to user-scoped sockets and to those of the session, each once and in order', async () => {
        const { account, sid } = await setUp();
        const other = await createSession(account);
        const app = await connect(sound, account, { host });
        const cli = await connect(sound, account, { host, clientType: 'session-scoped', sessionId: sid });
        const elsewhere = await connect(sound, account, { host, clientType: 'session-scoped', sessionId: other });
        await appendTexts(account, sid, ['a', 'b', 'c']);
        await appendTexts(account, other, ['d']);
        await settled(soundly(account), [app, cli, elsewhere]);
        expect([seqs(app), seqs(cli), seqs(elsewhere)]).toEqual([[3, 4, 5, 6], [3, 4, 5], [6]]);
    });

    it('skip the socket that sent the message, and come back to it when it resumes', async () => {
        const { account, sid } = await setUp();
        const scope = { host, clientType: 'session-scoped', sessionId: sid };
        const [cli, twin] = [await connect(sound, account, scope), await connect(sound, account, scope)];
        await cli.request('message', { sid, message: 'm', localId: '1' });
        await appendTexts(account, sid, ['by REST, which skips nobody']);
        await settled(soundly(account), [cli, twin]);
        expect([seqs(cli), seqs(twin)]).toEqual([[3], [2, 3]]);
        const missed = await cli.request('request-updates-since', { seq: 1 });
        expect(missed).toEqual({ success: true, updates: twin.updates(), seq: 3, hasMore: false });
    });

    it('come in seq order though their publications overtake each other', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        delay(() => Math.random() * 60);
        await Promise.all(Array.from({ length: 20 }, (_, i) => appendTexts(account, sid, [`${i}`])));
        await settled(soundly(account), [app]);
        expect(seqs(app)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
        expect(resyncs(app)).toEqual([]);
    });

    it('that were lost on the way are noticed by the next one: everybody is told to start over', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        const cli = await connect(sound, account, { host, clientType: 'session-scoped', sessionId: sid });
        loseNext();
        await appendTexts(account, sid, ['lost']);
        await appendTexts(account, sid, ['next']);
        await endPatience(account);
        await Promise.all([app, cli].map((socket) => socket.next(({ event }) => event === 'resync')));
        await appendTexts(account, sid, ['after']);
        await settled(soundly(account), [app, cli]);
        for (const socket of [app, cli]) expect([resyncs(socket), seqs(socket)]).toEqual([[{ seq: 3 }], [4]]);
        expect(await app.request('request-updates-since', { seq: 2 })).toMatchObject({ success: false });
        expect(await app.request('request-updates-since', { seq: 3 })).toMatchObject({
            success: true,
            updates: [{ seq: 4 }],
        });
    });

    it('that were lost at the tail are noticed by a retry of the write', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        const body = { messages: [{ content: 'lost', localId: 'l' }] };
        loseNext();
        await account.call('POST', `/v3/sessions/${sid}/messages`, body);
        await account.call('POST', `/v3/sessions/${sid}/messages`, body);
        await endPatience(account);
        expect((await app.next(({ event }) => event === 'resync')).data).toEqual({ seq: 2 });
        expect(seqs(app)).toEqual([]);
    });

    it('that were lost may have begun something: it falls silent all the same', async () => {
        const { account } = await setUp();
        await connect(sound, account, { host });
        const alarm = () =>
            runInDurableObject(env.ACCOUNT_HUB.getByName(account.id), (_, { storage }) => storage.getAlarm());
        await account.call('DELETE', `/v1/sessions/${(await account.call('GET', '/v1/sessions')).body.sessions[0].id}`);
        await expect.poll(alarm, { timeout: 5_000 }).toBeNull();
        loseNext();
        await createSession(account);
        await createMachine(account);
        await endPatience(account);
        expect(await alarm()).toBeGreaterThan(Date.now() + SILENCE_MS - 60_000);
    });

    it('that were lost at the tail are noticed by the heartbeats of whatever is alive', async () => {
        const { account, sid } = await setUp();
        const app = await connect(sound, account, { host });
        const cli = await connect(sound, account, { host, clientType: 'session-scoped', sessionId: sid });
        await env.DB.prepare('UPDATE Session SET lastActiveAt = 0 WHERE id = ?').bind(sid).run();
        loseNext();
        await appendTexts(account, sid, ['lost']);
        await cli.request('session-alive', { sid, time: Date.now() });
        await endPatience(account);
        expect((await app.next(({ event }) => event === 'resync')).data).toEqual({ seq: 2 });
    });
});

describe('P6 updates that a crash of the hub catches', () => {
    /** What the hub has for gateways from now on is on its way until the hub crashes. */
    async function stallGateways({ id }: TestAccount): Promise<void> {
        const { promise: never, reject } = Promise.withResolvers();
        onTestFinished(() => reject(new Error('crashed')));
        await interceptGateways(id, () => never);
    }

    it('on their way to a gateway are made up for: its sockets are told to start over', async () => {
        const { account, sid } = await setUp();
        const far = await connect(sound, account, { host: 'gateway' });
        await stallGateways(account);
        await appendTexts(account, sid, ['caught']);
        await renewHub(account.id);
        await appendTexts(account, sid, ['next']);
        await settled(soundly(account), [far]);
        expect([resyncs(far), seqs(far)]).toEqual([[{ seq: 2 }], [3]]);
    });

    it('may be lost ones: the word to start over is caught with them, and said again', async () => {
        const { account, sid } = await setUp();
        const far = await connect(sound, account, { host: 'gateway' });
        onTestFinished(() => void vi.useRealTimers());
        vi.setSystemTime(Date.now() + 10_000);
        loseNext();
        await appendTexts(account, sid, ['lost']);
        const near = await connect(sound, account);
        await stallGateways(account);
        await endPatience(account);
        expect((await near.next(({ event }) => event === 'resync')).data).toEqual({ seq: 2 });
        await renewHub(account.id);
        await settled(soundly(account), [far]);
        expect([resyncs(far), seqs(far)]).toEqual([[{ seq: 2 }], []]);
    });

    it('are none when it only slept: nobody is told anything', async () => {
        const { account, sid } = await setUp();
        const far = await connect(sound, account, { host: 'gateway' });
        await appendTexts(account, sid, ['heard']);
        await settled(soundly(account), [far]);
        onTestFinished(() => void vi.useRealTimers());
        vi.setSystemTime(Date.now() + 10_000);
        await renewHub(account.id);
        await appendTexts(account, sid, ['next']);
        await settled(soundly(account), [far]);
        expect([resyncs(far), seqs(far)]).toEqual([[], [2, 3]]);
    });
});
