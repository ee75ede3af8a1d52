import { randomBytes, randomUUID } from 'node:crypto';
import { contentKeyPair, unwrapDataKey } from '@/client/crypto';
import { createStockAccount, openStockSocket } from '@test/helpers/stock-client';
import type { StockAccount, StockSocket } from '@test/helpers/stock-client';

/** What a session's metadata must have for the libraries to take it. */
export const SESSION_FACTS = {
    path: '/home/test',
    host: 'box',
    homeDir: '/home/test',
    happyHomeDir: '/h',
    happyLibDir: '/l',
    happyToolsDir: '/t',
};

/** And a machine's. */
export const MACHINE_FACTS = {
    host: 'box',
    platform: 'linux',
    happyCliVersion: '1.2.5',
    homeDir: '/',
    happyHomeDir: '/h',
    happyLibDir: '/l',
};

/** A published library at work for one account, and the account's app, which sees what arrives. */
export interface DrivenLibrary {
    account: StockAccount;
    app: StockSocket;
    /** The library's ApiClient. */
    // oxlint-disable-next-line typescript/no-explicit-any -- the library's types are where it is installed
    api: any;
    /** Opens the data key of a session or machine as the app does. */
    dataKey(wrapped: string): Uint8Array;
    /** A session that the library made: its object, its ApiSessionClient, and the key by which the app reads it. */
    // oxlint-disable-next-line typescript/no-explicit-any -- the library's types are where it is installed
    newSession(): Promise<{ session: any; client: any; key: Uint8Array }>;
    /** A machine that the library made, connected: its id, its ApiMachineClient, and its key. */
    // oxlint-disable-next-line typescript/no-explicit-any -- the library's types are where it is installed
    newMachine(): Promise<{ machineId: string; client: any; key: Uint8Array }>;
    /** Waits for the first update of a kind about a session. */
    // oxlint-disable-next-line typescript/no-explicit-any -- the library's types are where it is installed
    update(t: string, sid: string, fits?: (body: any) => boolean): Promise<any>;
    /** Waits for the first ephemeral of a type about a session or machine. */
    // oxlint-disable-next-line typescript/no-explicit-any -- the library's types are where it is installed
    ephemeral(type: string, id: string, fits?: (data: any) => boolean): Promise<any>;
}

/** Logs a new account in, and gives the library what pairing with a phone would have given it. */
// oxlint-disable-next-line typescript/no-explicit-any -- the library's types are where it is installed
export async function driveLibrary(url: string, { ApiClient }: any): Promise<DrivenLibrary> {
    const account = await createStockAccount(url);
    const content = contentKeyPair(randomBytes(32));
    const encryption = { type: 'dataKey', publicKey: content.publicKey, machineKey: randomBytes(32) };
    const api = await ApiClient.create({ token: account.token, encryption });
    const app = await openStockSocket(url, account);
    const dataKey = (wrapped: string) => unwrapDataKey(wrapped, content.secretKey) ?? new Uint8Array();
    return {
        account,
        app,
        api,
        dataKey,
        async newSession() {
            const session = await api.getOrCreateSession({ tag: randomUUID(), metadata: SESSION_FACTS, state: {} });
            const { session: stored } = await account.call('GET', `v1/sessions/${session.id}`);
            return { session, client: api.sessionSyncClient(session), key: dataKey(stored.dataEncryptionKey) };
        },
        async newMachine() {
            const machineId = randomUUID();
            const daemonState = { status: 'offline' };
            const machine = await api.getOrCreateMachine({ machineId, metadata: MACHINE_FACTS, daemonState });
            const client = api.machineSyncClient(machine);
            client.setRPCHandlers({
                spawnSession: async () => ({ type: 'success', sessionId: 'spawned' }),
                resumeSession: async () => ({ type: 'success', sessionId: 'resumed' }),
                stopSession: () => true,
                requestShutdown: () => undefined,
            });
            client.connect();
            const { machine: stored } = await account.call('GET', `v1/machines/${machineId}`);
            return { machineId, client, key: dataKey(stored.dataEncryptionKey) };
        },
        async update(t, sid, fits = () => true) {
            const { body } = await app.next(
                'update',
                (update) => update.body.t === t && (update.body.sid ?? update.body.id) === sid && fits(update.body),
            );
            return body;
        },
        ephemeral: (type, id, fits = () => true) =>
            app.next('ephemeral', (data) => data.type === type && (data.id ?? data.sessionId) === id && fits(data)),
    };
}
