import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import nacl from 'tweetnacl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptJson, encryptJson, deriveKey } from '@/client/crypto';
import { INSTALL_TIMEOUT_MS, installPublishedClients } from '@test/helpers/published-clients';
import type { PublishedClients } from '@test/helpers/published-clients';
import { connect, until } from '@test/helpers/stock-client';
import { MACHINE_FACTS, SESSION_FACTS, driveLibrary } from '@test/helpers/stock-library';
import type { DrivenLibrary } from '@test/helpers/stock-library';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

/** Where there is no network, happy 1.2.5 does not even try to come back. */
const hasNetwork = Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.family === 'IPv4' && !one.internal);

const home = mkdtempSync(path.join(tmpdir(), 'happy-home-'));
let clients: PublishedClients;
let server: WorkerdServer;

beforeAll(async () => {
    clients = await installPublishedClients();
    server = await startWorkerd();
    // The libraries read them once, when they are loaded.
    process.env.HAPPY_SERVER_URL = server.url.replace(/\/$/, '');
    process.env.HAPPY_HOME_DIR = home;
}, INSTALL_TIMEOUT_MS);
afterAll(async () => {
    await server?.stop();
    rmSync(home, { recursive: true, force: true });
});

/** Writes to a session as the app does. */
function write({ account }: DrivenLibrary, sid: string, key: Uint8Array, text: string): Promise<unknown> {
    const content = encryptJson({ role: 'user', content: { type: 'text', text } }, key);
    return account.call('POST', `v3/sessions/${sid}/messages`, { messages: [{ content, localId: randomUUID() }] });
}

/** Calls a session's or machine's method as the app does; what it answers, decrypted. */
async function call({ app }: DrivenLibrary, method: string, key: Uint8Array, params: object = {}): Promise<unknown> {
    const answer = await app.io.emitWithAck('rpc-call', { method, params: encryptJson(params, key) });
    return answer.ok ? decryptJson(answer.result, key) : answer;
}

/** The texts that a session's library is told. */
// oxlint-disable-next-line typescript/no-explicit-any -- the library's types are where it is installed
function listen(client: any): string[] {
    const heard: string[] = [];
    client.onUserMessage(({ content: { text } }: { content: { text: string } }) => heard.push(text));
    return heard;
}

// happy sends messages by v3 and fetches what it missed; happy-coder sends and hears them by its socket alone.
describe.each(['happy', 'happy-coder'] as const)('The library of %s, unmodified', (name) => {
    let driven: DrivenLibrary;

    beforeAll(async () => {
        driven = await driveLibrary(server.url, await clients.load(name));
    });
    afterAll(() => driven?.app.io.close());

    it('makes a session that the app decrypts, and finds it again by its tag', async () => {
        const tag = randomUUID();
        const state = { controlledByUser: true };
        const first = await driven.api.getOrCreateSession({ tag, metadata: SESSION_FACTS, state });
        const again = await driven.api.getOrCreateSession({ tag, metadata: SESSION_FACTS, state: null });
        expect(again.id).toBe(first.id);
        const body = await driven.update('new-session', first.id);
        const key = driven.dataKey(body.dataEncryptionKey);
        expect(decryptJson(body.metadata, key)).toEqual(SESSION_FACTS);
        expect(decryptJson(body.agentState, key)).toEqual(state);
    });

    it('sends and receives messages', async () => {
        const { session, key, client } = await driven.newSession();
        const heard = listen(client);
        const echoed: unknown[] = [];
        client.on('message', (message: unknown) => echoed.push(message));
        client.sendAgentMessage('codex', { type: 'message', message: 'Hello from the agent' });
        const { message } = await driven.update('new-message', session.id);
        expect(decryptJson(message.content.c, key)).toMatchObject({
            content: { type: name === 'happy' ? 'acp' : 'codex', data: { message: 'Hello from the agent' } },
        });

        for (const text of ['one', 'two', 'three']) {
            await write(driven, session.id, key, text);
            // One at a time: what comes while happy loads its history, it takes twice.
            await until(() => heard.at(-1) === text, `${text}, heard ${heard.join()}`);
        }
        expect(heard).toEqual(['one', 'two', 'three']);
        // happy-coder takes for news whatever comes by its socket.
        if (name === 'happy-coder') expect(echoed).toEqual([]);
        await client.close();
    });

    it('changes metadata and state, also against a concurrent writer, and hears of changes', async () => {
        const { session, key, client } = await driven.newSession();
        const rename = (title: string, expectedVersion: number) =>
            driven.app.io.emitWithAck('update-metadata', {
                sid: session.id,
                metadata: encryptJson({ ...SESSION_FACTS, name: title }, key),
                expectedVersion,
            });
        expect(await rename('by the app', 1)).toMatchObject({ result: 'success', version: 2 });
        client.updateMetadata((metadata: object) => ({ ...metadata, summary: { text: 'Summed up', updatedAt: 1 } }));
        const changed = await driven.update('update-session', session.id, ({ metadata }) => metadata?.version === 3);
        expect(decryptJson(changed.metadata.value, key)).toMatchObject({
            name: 'by the app',
            summary: { text: 'Summed up' },
        });

        client.updateAgentState(() => ({ controlledByUser: false, requests: {} }));
        const { agentState } = await driven.update('update-session', session.id, (body) => body.agentState);
        expect(decryptJson(agentState.value, key)).toEqual({ controlledByUser: false, requests: {} });

        expect(await rename('again', 3)).toMatchObject({ result: 'success', version: 4 });
        await until(() => client.metadata.name === 'again', 'the change by the app');
        await client.close();
    });

    it('answers calls, reports usage, lives and ends', async () => {
        const { session, key, client } = await driven.newSession();
        client.rpcHandlerManager.registerHandler('greet', async (who: { name: string }) => `Hello ${who.name}`);
        expect(await call(driven, `${session.id}:greet`, key, { name: 'app' })).toBe('Hello app');

        client.keepAlive(true, 'remote');
        expect(await driven.ephemeral('activity', session.id)).toMatchObject({ active: true, thinking: true });
        client.sendUsageData({ input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 1 });
        const { tokens } = await driven.ephemeral('usage', session.id);
        expect(tokens).toEqual({ total: 16, input: 10, output: 5, cache_creation: 0, cache_read: 1 });
        const report = { sessionId: session.id, groupBy: 'day' };
        const { usage, totalReports } = await driven.account.call('POST', 'v1/usage/query', report);
        expect(totalReports).toBe(1);
        expect(usage).toMatchObject([{ tokens, reportCount: 1 }]);
        client.sendSessionDeath();
        await driven.ephemeral('activity', session.id, ({ active }) => active === false);
        await client.flush();
        await client.close();
    });

    it('runs a machine that the app decrypts, and that answers', async () => {
        const { machineId, client, key } = await driven.newMachine();
        await driven.ephemeral('machine-activity', machineId, ({ active }) => active);
        const params = { command: 'echo from the app', cwd: process.cwd() };
        const answer = await call(driven, `${machineId}:bash`, key, params);
        expect(answer).toMatchObject({ success: true, stdout: expect.stringContaining('from the app') });
        expect(await call(driven, `${machineId}:spawn-happy-session`, key, { directory: '/' })).toEqual({
            type: 'success',
            sessionId: 'spawned',
        });
        if (name === 'happy') await until(() => client.isReady(), 'a ready machine');

        await client.updateMachineMetadata((metadata: object) => ({ ...metadata, displayName: 'Renamed' }));
        const machines = await driven.account.call('GET', 'v1/machines');
        const stored = machines.find(({ id }: { id: string }) => id === machineId);
        expect(decryptJson(stored.metadata, key)).toMatchObject({ ...MACHINE_FACTS, displayName: 'Renamed' });
        expect(decryptJson(stored.daemonState, key)).toMatchObject({ status: 'running', pid: process.pid });
        client.shutdown();
        await driven.ephemeral('machine-activity', machineId, ({ active }) => !active);
    });

    it('keeps what other services gave it', async () => {
        await driven.api.registerVendorToken('openai', { oauth: 'secret' });
        expect(await driven.api.getVendorToken('openai')).toEqual({ oauth: 'secret' });
        expect(await driven.api.getVendorToken('gemini')).toBeNull();
        expect(await driven.api.push().fetchPushTokens()).toEqual([]);
    });

    it.skipIf(name === 'happy' && !hasNetwork)(
        'comes back after a restart of the server (happy: where there is a network interface)',
        async () => {
            const { session, key, client } = await driven.newSession();
            const machine = await driven.newMachine();
            const heard = listen(client);
            client.rpcHandlerManager.registerHandler('greet', async () => 'still here');
            // By the time that it answers, it has loaded its history.
            expect(await call(driven, `${session.id}:greet`, key)).toBe('still here');
            await write(driven, session.id, key, 'before');
            await until(() => heard.length === 1, 'the first message');

            await server.restart();
            if (name === 'happy') {
                await write(driven, session.id, key, 'while away');
                await until(() => heard.length === 2, 'the missed message', 60_000);
            }
            await until(() => driven.app.io.disconnected, 'disconnect');
            await connect(driven.app);
            expect(driven.app.io.recovered).toBe(true);
            expect(await call(driven, `${session.id}:greet`, key)).toBe('still here');
            const answer = await call(driven, `${machine.machineId}:bash`, machine.key, { command: 'echo x' });
            expect(answer).toMatchObject({ success: true });
            await write(driven, session.id, key, 'after');
            await until(() => heard.at(-1) === 'after', 'the last message');
            expect(heard).toEqual(name === 'happy' ? ['before', 'while away', 'after'] : ['before', 'after']);
            machine.client.shutdown();
            await client.close();
        },
    );
});

describe('What happy has and happy-coder had not', () => {
    let driven: DrivenLibrary;

    beforeAll(async () => {
        driven = await driveLibrary(server.url, await clients.load('happy'));
    });
    afterAll(() => driven?.app.io.close());

    it('attaches files that the app decrypts', async () => {
        const { session, key, client } = await driven.newSession();
        const data = new Uint8Array(randomBytes(70_000));
        const file = { data, mimeType: 'image/png', name: 'picture.png' };
        const { ev } = await client.uploadLocalImageAttachmentEnvelope(file);
        expect(ev).toMatchObject({ t: 'file', name: 'picture.png', size: data.length });
        expect(await client.downloadAndDecryptAttachment(ev.ref)).toEqual(data);

        const { account } = driven;
        const request = `v1/sessions/${session.id}/attachments/request-download`;
        const { downloadUrl } = await account.call('POST', request, { ref: ev.ref });
        const response = await fetch(downloadUrl, { headers: { Authorization: `Bearer ${account.token}` } });
        const blob = new Uint8Array(await response.arrayBuffer());
        const blobKey = deriveKey(key, 'Happy Blobs', ['session']);
        expect(nacl.secretbox.open(blob.subarray(24), blob.subarray(0, 24), blobKey)).toEqual(data);
        await client.close();
    });

    it('tells when its turn has ended, and archives', async () => {
        const { session, client } = await driven.newSession();
        const data = { sessionId: session.id };
        driven.api.push().sendSessionNotification({ kind: 'done', metadata: SESSION_FACTS, data });
        expect(await driven.ephemeral('session-event', session.id)).toMatchObject({ kind: 'done' });
        client.keepAlive(false, 'remote');
        await driven.ephemeral('activity', session.id, ({ active }) => active);
        expect(await driven.api.deactivateSession(session.id)).toBe(true);
        await driven.ephemeral('activity', session.id, ({ active }) => !active);
        await client.close();
    });
});
