import { randomUUID } from 'node:crypto';
import nacl from 'tweetnacl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '@/client/base64';
import {
    contentKeyPair,
    decryptJson,
    encryptJson,
    pairingResponseV2,
    randomBytes,
    seal,
    unwrapDataKey,
} from '@/client/crypto';
import { readPairingLink } from '@/client/pairing';
import { createCommandLine } from '@test/helpers/command-line';
import type { CommandLine } from '@test/helpers/command-line';
import { INSTALL_TIMEOUT_MS, installPublishedClients } from '@test/helpers/published-clients';
import type { PublishedClients } from '@test/helpers/published-clients';
import { createStockAccount, openStockSocket, until } from '@test/helpers/stock-client';
import type { StockAccount, StockSocket } from '@test/helpers/stock-client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

let clients: PublishedClients;
let server: WorkerdServer;

beforeAll(async () => {
    clients = await installPublishedClients();
    server = await startWorkerd();
}, INSTALL_TIMEOUT_MS);
afterAll(() => server?.stop());

/** Where a machine is busy, commands take their time. */
const PATIENCE_MS = 90_000;

/** What a session's agent asks of the app, by the request's id. */
interface AgentState {
    requests?: Record<string, { tool: string }>;
}

/** An account's secret, and what the account's phone does with it. */
const secret = randomBytes(32);
const content = contentKeyPair(secret);

/**
 * The two ways to let a terminal in: with a key to wrap data keys to, as phones do today, or with the account's secret
 * itself, as they did before and do where a terminal knows no better.
 */
const ways = {
    today: {
        answer: (terminal: Uint8Array) => pairingResponseV2(content.publicKey, terminal),
        key: (wrapped: string | null) => unwrapDataKey(wrapped ?? '', content.secretKey) ?? new Uint8Array(),
        encrypt: encryptJson,
        decrypt: decryptJson,
    },
    before: {
        answer: (terminal: Uint8Array) => encodeBase64(seal(secret, terminal)),
        key: () => secret,
        encrypt(value: unknown, key: Uint8Array) {
            const nonce = randomBytes(24);
            const box = nacl.secretbox(new TextEncoder().encode(JSON.stringify(value)), nonce, key);
            return encodeBase64(new Uint8Array([...nonce, ...box]));
        },
        decrypt(encrypted: string, key: Uint8Array): unknown {
            const bytes = decodeBase64(encrypted) ?? new Uint8Array();
            const text = nacl.secretbox.open(bytes.subarray(24), bytes.subarray(0, 24), key);
            return text && JSON.parse(new TextDecoder().decode(text));
        },
    },
};

// Each test goes on where the one before ended, as a person would.
describe.each([
    {
        name: 'happy',
        way: ways.today,
        choice: '1',
        agent: ['acp', 'gemini'],
        turnEnds: '"ready"',
        link: /happy:\/\/terminal\?\S+(?=\s)/,
    },
    {
        name: 'happy-coder',
        way: ways.before,
        choice: '2',
        agent: ['gemini'],
        turnEnds: '"task_complete"',
        link: /https:\/\/app\.example\.com\/terminal\/connect#key=\S+(?=\s)/,
    },
] as const)('The command line of $name', ({ name, way, choice, agent, turnEnds, link }) => {
    let commandLine: CommandLine;
    let account: StockAccount;
    let app: StockSocket;

    beforeAll(async () => {
        commandLine = createCommandLine(clients.command(name), server.url);
        account = await createStockAccount(server.url);
        app = await openStockSocket(server.url, account);
    });
    afterAll(() => {
        app?.io.close();
        commandLine?.dispose();
    });

    it('is let in by a phone', async () => {
        const login = commandLine.start('auth', 'login');
        await login.printed(/How would you like to authenticate/);
        // It listens a moment after it has asked.
        const typing = setInterval(() => login.type(choice), 200);
        const printed = await login.printed(link).finally(() => clearInterval(typing));

        const publicKey = encodeBase64(readPairingLink(printed));
        const status = `v1/auth/request/status?publicKey=${encodeURIComponent(publicKey)}`;
        expect(await account.call('GET', status)).toEqual({ status: 'pending', supportsV2: true });
        await account.call('POST', 'v1/auth/response', { publicKey, response: way.answer(readPairingLink(printed)) });
        expect(await login.ended()).toBe(0);
        expect(login.output()).toContain('Authentication successful');

        const { token } = commandLine.file('access.key');
        expect(JSON.parse(atob(token.split('.')[1])).sub).toBe(account.id);
        expect(await commandLine.run('auth', 'status')).toMatch(/✓ Authenticated[^]*Machine ID/);
    });

    it('runs a daemon that the app sees and calls', async () => {
        // What `daemon start` does, which itself gives up after 5 s on a busy machine.
        commandLine.start('daemon', 'start-sync');
        const { machineId } = commandLine.file('settings.json');
        await app.next(
            'ephemeral',
            ({ type, id, active }) => type === 'machine-activity' && id === machineId && active,
            PATIENCE_MS,
        );
        const [machine] = await account.call('GET', 'v1/machines');
        expect(machine).toMatchObject({ id: machineId, active: true });
        const key = way.key(machine.dataEncryptionKey);
        expect(way.decrypt(machine.metadata, key)).toMatchObject({ platform: process.platform });

        const params = way.encrypt({ command: 'echo from the daemon' }, key);
        const answer = await app.io.emitWithAck('rpc-call', { method: `${machineId}:bash`, params });
        expect(way.decrypt(answer.result, key)).toMatchObject({
            success: true,
            stdout: expect.stringContaining('from the daemon'),
        });
    });

    it('holds a session with an agent, by prompts of the app', async () => {
        commandLine.start(...agent);
        const { body } = await app.next('update', (update) => update.body.t === 'new-session', PATIENCE_MS);
        const sid: string = body.id;
        const key = way.key(body.dataEncryptionKey);
        const { machineId } = commandLine.file('settings.json');
        expect(way.decrypt(body.metadata, key)).toMatchObject({ machineId });
        await app.next('ephemeral', ({ type, id, active }) => type === 'activity' && id === sid && active, PATIENCE_MS);
        const call = (method: string, params: object) =>
            app.io.emitWithAck('rpc-call', { method: `${sid}:${method}`, params: way.encrypt(params, key) });

        const prompt = way.encrypt({ role: 'user', content: { type: 'text', text: 'Do it' } }, key);
        const messages = [{ content: prompt, localId: randomUUID() }];
        await account.call('POST', `v3/sessions/${sid}/messages`, { messages });
        // The agent asks for leave, which the app gives.
        const [id, request] = await until(
            () => {
                const states = app.updates().flatMap((update) => {
                    const isState = update.body.t === 'update-session' && update.body.agentState;
                    return isState ? [way.decrypt(update.body.agentState.value, key)] : [];
                });
                return (states as AgentState[]).flatMap(({ requests }) => Object.entries(requests ?? {}))[0];
            },
            'a request',
            PATIENCE_MS,
        );
        expect(request.tool).toBe('execute');
        expect(await call('permission', { id, approved: true })).toMatchObject({ ok: true });

        const told = (what: string) =>
            app.next(
                'update',
                ({ body: { t, sid: of, message } }) =>
                    t === 'new-message' &&
                    of === sid &&
                    JSON.stringify(way.decrypt(message.content.c, key)).includes(what),
                PATIENCE_MS,
            );
        await told('Do it: proceed_once');
        await told(turnEnds);

        expect(await call('killSession', {})).toMatchObject({ ok: true });
        // happy itself lingers for 10 s more.
        await app.next(
            'ephemeral',
            ({ type, id: of, active }) => type === 'activity' && of === sid && !active,
            PATIENCE_MS,
        );
        await app.next(
            'update',
            ({ body: { t, id: of, metadata } }) =>
                t === 'update-session' &&
                of === sid &&
                metadata &&
                JSON.stringify(way.decrypt(metadata.value, key)).includes('"lifecycleState":"archived"'),
            PATIENCE_MS,
        );
        expect((await account.call('GET', `v1/sessions/${sid}`)).session.active).toBe(false);
    });

    it('stops its daemon, and logs out', async () => {
        const { machineId } = commandLine.file('settings.json');
        await commandLine.run('daemon', 'stop');
        await app.next(
            'ephemeral',
            ({ type, id, active }) => type === 'machine-activity' && id === machineId && !active,
            PATIENCE_MS,
        );
        const [machine] = await account.call('GET', 'v1/machines');
        expect(machine.active).toBe(false);

        const logout = commandLine.start('auth', 'logout');
        await logout.printed(/Are you sure/);
        logout.type('y\n');
        await logout.printed(/Successfully logged out/);
        expect(await logout.ended()).toBe(0);
    });
});
