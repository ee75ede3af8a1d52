import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentKeyPair, decryptJson, encryptJson, unwrapDataKey } from '@/client/crypto';
import { connect, createStockAccount, openStockSocket, until } from '@test/helpers/stock-client';
import type { StockAccount, StockSocket } from '@test/helpers/stock-client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

/**
 * The published command-line client's own library, unmodified. With what it depends on it takes nearly a gigabyte, so
 * it is not among the project's packages: `npm install --ignore-scripts happy@1.2.5` in a folder of its own, and
 * `HAPPY_PACKAGE=<folder>/node_modules/happy`.
 */
const happyPackage = process.env.HAPPY_PACKAGE;
/** The library comes back by itself only where there is a network. */
const hasNetwork = Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.family === 'IPv4' && !one.internal);

describe.skipIf(!happyPackage)('The library of happy 1.2.5 (needs HAPPY_PACKAGE)', () => {
    let server: WorkerdServer;
    let home: string;
    let account: StockAccount;
    let app: StockSocket;
    // The library has its own types, where it is installed.
    // oxlint-disable-next-line typescript/no-explicit-any
    let api: any;
    const content = contentKeyPair(randomBytes(32));
    const facts = {
        path: '/home/test',
        host: 'box',
        homeDir: '/home/test',
        happyHomeDir: '/h',
        happyLibDir: '/l',
        happyToolsDir: '/t',
    };

    beforeAll(async () => {
        server = await startWorkerd();
        home = mkdtempSync(path.join(tmpdir(), 'happy-home-'));
        // Read once, when the library is loaded.
        process.env.HAPPY_SERVER_URL = server.url.replace(/\/$/, '');
        process.env.HAPPY_HOME_DIR = home;
        const { ApiClient } = await import(pathToFileURL(path.join(happyPackage ?? '', 'dist', 'lib.mjs')).href);
        account = await createStockAccount(server.url);
        const encryption = { type: 'dataKey', publicKey: content.publicKey, machineKey: randomBytes(32) };
        api = await ApiClient.create({ token: account.token, encryption });
        app = await openStockSocket(server.url, account);
    });
    afterAll(async () => {
        app.io.close();
        await server.stop();
        rmSync(home, { recursive: true, force: true });
    });

    async function newSession() {
        const session = await api.getOrCreateSession({ tag: randomUUID(), metadata: facts, state: {} });
        const { sessions } = await account.call('GET', 'v1/sessions');
        const stored = sessions.find(({ id }: { id: string }) => id === session.id);
        const key = unwrapDataKey(stored.dataEncryptionKey, content.secretKey) ?? new Uint8Array();
        return { session, stored, key, client: api.sessionSyncClient(session) };
    }

    const updateOf = (t: string, fits: (body: never) => boolean = () => true) =>
        app.next('update', ({ body }) => body.t === t && fits(body as never));

    it('makes a session that the app decrypts, and finds it again by its tag', async () => {
        const tag = randomUUID();
        const first = await api.getOrCreateSession({ tag, metadata: facts, state: { controlledByUser: true } });
        const again = await api.getOrCreateSession({ tag, metadata: facts, state: null });
        expect(again.id).toBe(first.id);
        const { body } = await updateOf('new-session', ({ id }: { id: string }) => id === first.id);
        const key = unwrapDataKey(body.dataEncryptionKey, content.secretKey) ?? new Uint8Array();
        expect(decryptJson(body.metadata, key)).toMatchObject(facts);
        expect(decryptJson(body.agentState, key)).toEqual({ controlledByUser: true });
    });

    it('sends and receives messages', async () => {
        const { session, key, client } = await newSession();
        const heard: string[] = [];
        client.onUserMessage(({ content: { text } }: { content: { text: string } }) => heard.push(text));
        client.sendAgentMessage('claude', { type: 'message', message: 'Hello from the agent' });
        const { body } = await updateOf('new-message', ({ sid }: { sid: string }) => sid === session.id);
        expect(JSON.stringify(decryptJson(body.message.content.c, key))).toContain('Hello from the agent');

        for (const text of ['one', 'two', 'three']) {
            const message = encryptJson({ role: 'user', content: { type: 'text', text } }, key);
            await account.call('POST', `v3/sessions/${session.id}/messages`, {
                messages: [{ content: message, localId: randomUUID() }],
            });
            // One at a time: what comes while the library loads its history, it takes twice.
            await until(() => heard.at(-1) === text, `${text}, heard ${heard.join()}`);
        }
        expect(heard).toEqual(['one', 'two', 'three']);
        await client.close();
    });

    it('changes metadata and state, also against a concurrent writer, and hears of changes', async () => {
        const { session, key, client } = await newSession();
        await app.io.emitWithAck('update-metadata', {
            sid: session.id,
            metadata: encryptJson({ ...facts, name: 'by the app' }, key),
            expectedVersion: 1,
        });
        client.updateMetadata((metadata: object) => ({ ...metadata, summary: { text: 'Summed up', updatedAt: 1 } }));
        const { body } = await updateOf(
            'update-session',
            ({ id, metadata }: { id: string; metadata?: { version: number } }) =>
                id === session.id && metadata?.version === 3,
        );
        expect(decryptJson(body.metadata.value, key)).toMatchObject({
            name: 'by the app',
            summary: { text: 'Summed up' },
        });

        client.updateAgentState(() => ({ controlledByUser: false, requests: {} }));
        const state = await updateOf(
            'update-session',
            ({ id, agentState }: { id: string; agentState?: object }) => id === session.id && agentState !== undefined,
        );
        expect(decryptJson(state.body.agentState.value, key)).toMatchObject({ controlledByUser: false });
        await app.io.emitWithAck('update-metadata', {
            sid: session.id,
            metadata: encryptJson({ ...facts, name: 'again' }, key),
            expectedVersion: 3,
        });
        await until(() => client.getMetadata()?.name === 'again', 'the change by the app');
        await client.close();
    });

    it('answers calls, reports usage, lives and ends', async () => {
        const { session, key, client } = await newSession();
        client.rpcHandlerManager.registerHandler('greet', async ({ name }: { name: string }) => ({
            said: `Hello ${name}`,
        }));
        const answer = await app.io.emitWithAck('rpc-call', {
            method: `${session.id}:greet`,
            params: encryptJson({ name: 'app' }, key),
        });
        expect(decryptJson(answer.result, key)).toEqual({ said: 'Hello app' });

        client.keepAlive(true, 'remote');
        const alive = await app.next('ephemeral', ({ type, id }) => type === 'activity' && id === session.id);
        expect(alive).toMatchObject({ active: true, thinking: true });
        client.sendUsageData({ input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 1 });
        const usage = await app.next('ephemeral', ({ type, id }) => type === 'usage' && id === session.id);
        expect(usage.tokens).toEqual({ total: 16, input: 10, output: 5, cache_creation: 0, cache_read: 1 });
        client.sendSessionDeath();
        await app.next(
            'ephemeral',
            ({ type, id, active }) => type === 'activity' && id === session.id && active === false,
        );
        await client.flush();
        await client.close();
    });

    it('runs a machine that is ready, and answers', async () => {
        const machineId = randomUUID();
        const metadata = {
            host: 'box',
            platform: 'linux',
            happyCliVersion: '1.2.5',
            homeDir: '/',
            happyHomeDir: '/h',
            happyLibDir: '/l',
        };
        const machine = await api.getOrCreateMachine({ machineId, metadata, daemonState: { status: 'offline' } });
        const client = api.machineSyncClient(machine);
        client.setRPCHandlers({
            spawnSession: async () => ({ type: 'success', sessionId: 'spawned' }),
            resumeSession: async () => ({ type: 'success', sessionId: 'resumed' }),
            stopSession: () => true,
            requestShutdown: () => undefined,
        });
        client.connect();
        await until(() => client.isReady(), 'a ready machine');
        await app.next(
            'ephemeral',
            ({ type, id, active }) => type === 'machine-activity' && id === machineId && active === true,
        );
        const [stored] = await account.call('GET', 'v1/machines');
        const key = unwrapDataKey(stored.dataEncryptionKey, content.secretKey) ?? new Uint8Array();
        expect(decryptJson(stored.metadata, key)).toMatchObject(metadata);
        const params = encryptJson({ command: 'echo from the app', cwd: '/' }, key);
        const answer = await app.io.emitWithAck('rpc-call', { method: `${machineId}:bash`, params });
        expect(decryptJson(answer.result, key)).toMatchObject({
            success: true,
            stdout: expect.stringContaining('from the app'),
        });
        expect(decryptJson((await account.call('GET', 'v1/machines'))[0].daemonState, key)).toMatchObject({
            status: 'running',
        });
        client.shutdown();
        await app.next(
            'ephemeral',
            ({ type, id, active }) => type === 'machine-activity' && id === machineId && active === false,
        );
    });

    it.skipIf(!hasNetwork)(
        'comes back after a restart of the server (needs a network interface), and misses nothing',
        async () => {
            const { session, key, client } = await newSession();
            const heard: string[] = [];
            client.onUserMessage(({ content: { text } }: { content: { text: string } }) => heard.push(text));
            client.rpcHandlerManager.registerHandler('greet', async () => 'still here');
            const write = (text: string) => {
                const message = encryptJson({ role: 'user', content: { type: 'text', text } }, key);
                return account.call('POST', `v3/sessions/${session.id}/messages`, {
                    messages: [{ content: message, localId: randomUUID() }],
                });
            };
            await write('before');
            await until(() => heard.length === 1, 'the first message');
            await server.restart();
            await write('while away');
            await until(() => heard.length === 2, 'the missed message', 20_000);
            await until(() => app.io.disconnected, 'disconnect');
            await connect(app);
            expect(app.io.recovered).toBe(true);
            const answer = await app.io.emitWithAck('rpc-call', {
                method: `${session.id}:greet`,
                params: encryptJson({}, key),
            });
            expect(decryptJson(answer.result, key)).toBe('still here');
            await write('after');
            await until(() => heard.length === 3, 'the last message');
            expect(heard).toEqual(['before', 'while away', 'after']);
            await client.close();
        },
    );
});
