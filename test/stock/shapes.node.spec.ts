import { randomUUID } from 'node:crypto';
import { ApiMessageSchema, CoreUpdateBodySchema, CoreUpdateContainerSchema } from '@slopus/happy-wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { images } from '@test/fixtures/images';
import {
    createStockAccount,
    createStockMachine,
    createStockSession,
    openStockSocket,
} from '@test/helpers/stock-client';
import type { StockAccount, StockSocket } from '@test/helpers/stock-client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';
import {
    AppArtifact,
    AppEphemeral,
    AppFeedItem,
    AppFullArtifact,
    AppMachine,
    AppProfile,
    AppSentMessage,
    AppSession,
    AppUpdateBody,
    AppUser,
} from '@test/stock/app-schemas';

let server: WorkerdServer;
let account: StockAccount;
let friend: StockAccount;
let app: StockSocket;

beforeAll(async () => {
    server = await startWorkerd();
    account = await createStockAccount(server.url);
    friend = await createStockAccount(server.url);
    app = await openStockSocket(server.url, account);
});
afterAll(async () => {
    app.io.close();
    await server.stop();
});

const bodies = () => app.updates().map(({ body }) => body);
const ephemerals = () => app.events.filter(({ event }) => event === 'ephemeral').map(({ args }) => args[0]);

/** Kinds that the shared package has a schema for; the app has its own for the rest. */
const CORE = ['new-message', 'update-session', 'update-machine'];

describe('Everything an app is told', () => {
    it('fits the schemas by which it would drop it', async () => {
        await writeEverything();
        await app.next('update', ({ body }) => body.t === 'delete-machine');
        const kinds = new Set(bodies().map(({ t }) => t));
        expect([...kinds].sort()).toEqual([
            'delete-artifact',
            'delete-machine',
            'delete-session',
            'kv-batch-update',
            'new-artifact',
            'new-feed-post',
            'new-machine',
            'new-message',
            'new-session',
            'relationship-updated',
            'update-account',
            'update-artifact',
            'update-machine',
            'update-session',
        ]);
        for (const update of app.updates()) {
            const { error } = (CORE.includes(update.body.t) ? CoreUpdateContainerSchema : appUpdate).safeParse(update);
            expect(error?.issues, JSON.stringify(update)).toBeUndefined();
        }
        expect(new Set(ephemerals().map(({ type }) => type))).toEqual(
            new Set(['activity', 'machine-activity', 'machine-status', 'usage', 'session-event']),
        );
        for (const ephemeral of ephemerals()) {
            expect(AppEphemeral.safeParse(ephemeral).error?.issues, JSON.stringify(ephemeral)).toBeUndefined();
        }
        expect(CoreUpdateBodySchema.options).toHaveLength(CORE.length);
    });

    it('carries the place of its update as offset, in order', () => {
        const updates = app.events.filter(({ event }) => event === 'update');
        expect(updates.map(({ args }) => args[1])).toEqual(updates.map(({ args }) => `${account.id}:${args[0].seq}`));
        expect(updates.map(({ args }) => args[0].seq)).toEqual(updates.map((_, i) => i + 1));
    });
});

describe('What an app loads', () => {
    it('fits, too', async () => {
        const fresh = await createStockAccount(server.url);
        expect(AppProfile.safeParse(await account.call('GET', 'v1/account/profile')).error).toBeUndefined();
        expect(AppProfile.parse(await fresh.call('GET', 'v1/account/profile')).avatar).toBeNull();
        expect(await fresh.call('GET', 'v1/account/settings')).toEqual({ settings: null, settingsVersion: 0 });
        expect(await fresh.call('GET', 'v1/machines')).toEqual([]);
        expect(await fresh.call('GET', 'v1/artifacts')).toEqual([]);
        expect(await fresh.call('GET', 'v1/sessions')).toEqual({ sessions: [] });
        expect(await fresh.call('GET', 'v1/friends')).toEqual({ friends: [] });
        expect(await fresh.call('GET', 'v1/feed?limit=100')).toEqual({ items: [], hasMore: false });
        const { friends } = await account.call('GET', 'v1/friends');
        expect(z.array(AppUser).min(1).safeParse(friends).error).toBeUndefined();
        const { items } = await account.call('GET', 'v1/feed?limit=100');
        expect(z.array(AppFeedItem).min(1).safeParse(items).error).toBeUndefined();
        const { items: rest } = await account.call('GET', `v1/feed?before=${items[0].cursor}`);
        expect(rest).toHaveLength(items.length - 1);
    });

    it('knows a picture by all of its facts', async () => {
        const form = new FormData();
        form.append('file', new Blob([Buffer.from(images.webp, 'base64')], { type: 'image/webp' }), 'a.webp');
        const response = await fetch(new URL('v1/uploads/avatar', server.url), {
            method: 'POST',
            headers: { Authorization: `Bearer ${account.token}` },
            body: form,
        });
        expect(response.status).toBe(200);
        const profile = await account.call('GET', 'v1/account/profile');
        expect(AppProfile.safeParse(profile).error).toBeUndefined();
        expect(profile.avatar).toMatchObject({ width: 40, height: 24, thumbhash: '' });
        const told = await app.next('update', ({ body }) => body.t === 'update-account' && body.avatar !== undefined);
        expect(appUpdate.safeParse(told).error).toBeUndefined();

        // Wherever else it is shown.
        const username = `ada-${randomUUID().slice(0, 8)}`;
        const { profile: changed } = await account.call('PUT', 'v1/account', { username });
        const { user } = await friend.call('GET', `v1/user/${account.id}`);
        const { users } = await friend.call('GET', `v1/user/search?query=${username}`);
        const { friends } = await friend.call('GET', 'v1/friends');
        const { user: removed } = await friend.call('POST', 'v1/friends/remove', { uid: account.id });
        const { user: added } = await friend.call('POST', 'v1/friends/add', { uid: account.id });
        expect(AppProfile.safeParse(changed).error).toBeUndefined();
        for (const shown of [user, users[0], friends[0], removed, added]) {
            expect(AppUser.safeParse(shown).error).toBeUndefined();
            expect(shown).toMatchObject({ id: account.id, avatar: { width: 40, height: 24, thumbhash: '' } });
        }
    });

    it('fits where there are sessions, machines and artifacts', async () => {
        const { call } = await createStockAccount(server.url);
        const dataEncryptionKey = 'a2V5';
        const made = { tag: randomUUID(), metadata: 'bWV0YQ==', agentState: null, dataEncryptionKey };
        const { session } = await call('POST', 'v1/sessions', made);
        const { machine } = await call('POST', 'v1/machines', { id: randomUUID(), metadata: 'bWV0YQ==' });
        const artifact = { id: randomUUID(), header: 'aGVhZA==', body: 'Ym9keQ==', dataEncryptionKey };
        const stored = await call('POST', 'v1/artifacts', artifact);

        const { sessions } = await call('GET', 'v1/sessions');
        expect(z.array(AppSession).parse(sessions)).toEqual([AppSession.parse(session)]);
        expect(z.array(AppMachine).parse(await call('GET', 'v1/machines'))).toEqual([AppMachine.parse(machine)]);
        expect(z.array(AppArtifact).parse(await call('GET', 'v1/artifacts'))).toEqual([AppArtifact.parse(stored)]);
        const full = AppFullArtifact.parse(await call('GET', `v1/artifacts/${artifact.id}`));
        expect(full).toMatchObject({ ...artifact, headerVersion: 1, bodyVersion: 1 });
        const late = { header: 'bGF0ZQ==', expectedHeaderVersion: 7 };
        expect(await call('POST', `v1/artifacts/${artifact.id}`, late)).toEqual({
            success: false,
            error: 'version-mismatch',
            currentHeaderVersion: 1,
            currentHeader: artifact.header,
        });

        const { archivedAt, ...archived } = await call('POST', `v1/sessions/${session.id}/archive`);
        expect(archived).toEqual({ success: true, sessionId: session.id });
        expect(archivedAt).toEqual(expect.any(Number));
        expect((await call('GET', 'v1/sessions')).sessions[0].active).toBe(false);
        expect(await call('DELETE', `v1/sessions/${session.id}`)).toEqual({ success: true });
        expect(await call('DELETE', `v1/machines/${machine.id}`)).toEqual({ success: true });
        expect(await call('GET', 'v1/sessions')).toEqual({ sessions: [] });
        expect(await call('GET', 'v1/machines')).toEqual([]);
    });

    it('fits message by message, as the app opens a session and writes to it', async () => {
        const writer = await createStockAccount(server.url);
        const path = `v3/sessions/${await createStockSession(writer)}/messages`;
        const written = ['a', 'b', 'c'].map((localId) => ({ content: 'aGk=', localId }));
        const { messages: sent } = await writer.call('POST', path, { messages: written });
        expect(z.array(AppSentMessage).parse(sent)).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
        // Sent again, since the answer was lost.
        expect(await writer.call('POST', path, { messages: written })).toEqual({ messages: sent });

        const newest = await writer.call('GET', `${path}?before_seq=2147483647&limit=2`);
        expect(ApiMessageSchema.array().parse(newest.messages)).toMatchObject([{ seq: 3 }, { seq: 2 }]);
        expect(newest.hasMore).toBe(true);
        const older = await writer.call('GET', `${path}?before_seq=2&limit=2`);
        expect(ApiMessageSchema.array().parse(older.messages)).toMatchObject([{ seq: 1 }]);
        expect(older.hasMore).toBe(false);
        const missed = await writer.call('GET', `${path}?after_seq=1&limit=100`);
        expect(ApiMessageSchema.array().parse(missed.messages)).toMatchObject([{ seq: 2 }, { seq: 3 }]);
    });

    it('fits what it sets, registers and asks for besides', async () => {
        const setter = await createStockAccount(server.url);
        const { call } = setter;
        const settings = { settings: 'c2V0', expectedVersion: 0 };
        expect(await call('POST', 'v1/account/settings', settings)).toEqual({ success: true, version: 1 });
        expect(await call('POST', 'v1/account/settings', settings)).toEqual({
            success: false,
            error: 'version-mismatch',
            currentVersion: 1,
            currentSettings: 'c2V0',
        });

        const sid = await createStockSession(setter);
        const event = { kind: 'done', title: 'Done', body: 'All of it' };
        expect(await call('POST', `v1/sessions/${sid}/push-event`, event)).toMatchObject({ result: 'no_tokens' });
        const token = 'ExponentPushToken[test]';
        expect(await call('POST', 'v1/push-tokens', { token })).toEqual({ success: true });
        expect((await call('GET', 'v1/push-tokens')).tokens).toMatchObject([{ token }]);
        const open = await openStockSocket(server.url, setter, { appState: 'active' });
        expect(await call('POST', `v1/sessions/${sid}/push-event`, event)).toMatchObject({ result: 'suppressed' });
        open.io.close();
        expect(await call('DELETE', `v1/push-tokens/${encodeURIComponent(token)}`)).toEqual({ success: true });

        const version = { platform: 'ios', version: '1.7.0', app_id: 'com.ex3ndr.happy' };
        expect(await call('POST', 'v1/version', version)).toEqual({ updateUrl: null });
        expect(await call('POST', 'v1/usage/query', { groupBy: 'day' })).toEqual({
            usage: [],
            groupBy: 'day',
            totalReports: 0,
        });
        expect(await call('GET', 'v1/connect/openai/token')).toEqual({ token: null });
    });
});

const appUpdate = z.object({ id: z.string(), seq: z.number(), createdAt: z.number(), body: AppUpdateBody });

/** Every write an account can make, once. */
async function writeEverything(): Promise<void> {
    const { call } = account;
    const sid = await createStockSession(account);
    const machineId = await createStockMachine(account);
    const cli = await openStockSocket(server.url, account, { clientType: 'session-scoped', sessionId: sid });
    const daemon = await openStockSocket(server.url, account, { clientType: 'machine-scoped', machineId });
    const tokens = { total: 5, input: 2, output: 3 };
    await call('POST', `v3/sessions/${sid}/messages`, { messages: [{ content: 'aGk=', localId: 'a' }] });
    await call('POST', `v1/sessions/${sid}/messages`, { content: { t: 'encrypted', c: 'aGk=' } });
    await cli.io.emitWithAck('update-metadata', { sid, metadata: 'bmV3', expectedVersion: 1 });
    await cli.io.emitWithAck('update-state', { sid, agentState: 'c3RhdGU=', expectedVersion: 0 });
    await cli.io.emitWithAck('update-state', { sid, agentState: null, expectedVersion: 1 });
    await cli.io.emitWithAck('session-alive', { sid, time: Date.now() });
    await cli.io.emitWithAck('usage-report', { key: 'claude', sessionId: sid, tokens, cost: { total: 1 } });
    await call('POST', `v1/sessions/${sid}/push-event`, { kind: 'done', title: 'Done', body: 'All of it' });
    await daemon.io.emitWithAck('machine-alive', { machineId, time: Date.now() });
    await daemon.io.emitWithAck('machine-update-metadata', { machineId, metadata: 'bmV3', expectedVersion: 1 });
    await daemon.io.emitWithAck('machine-update-state', { machineId, daemonState: 'cnVu', expectedVersion: 0 });
    await call('PUT', `v1/machines/${machineId}/status`, { active: true, metadata: 'cHV0', daemonState: null });
    await call('POST', 'v1/account/settings', { settings: 'c2V0', expectedVersion: 0 });
    await call('PUT', 'v1/account', { firstName: 'Ada', lastName: null });
    const artifact = { id: randomUUID(), header: 'aGVhZA==', body: 'Ym9keQ==', dataEncryptionKey: 'a2V5' };
    await call('POST', 'v1/artifacts', artifact);
    await call('POST', `v1/artifacts/${artifact.id}`, { header: 'bmV3', expectedHeaderVersion: 1 });
    await call('DELETE', `v1/artifacts/${artifact.id}`);
    await call('POST', 'v1/kv', { mutations: [{ key: 'k', value: 'dg==', version: -1 }] });
    await call('POST', 'v1/kv', { mutations: [{ key: 'k', value: null, version: 0 }] });
    await friend.call('POST', 'v1/friends/add', { uid: account.id });
    await call('POST', 'v1/friends/add', { uid: friend.id });
    cli.io.emit('session-end', { sid, time: Date.now() });
    cli.io.close();
    await call('DELETE', `v1/sessions/${sid}`);
    daemon.io.close();
    await call('DELETE', `v1/machines/${machineId}`);
}
