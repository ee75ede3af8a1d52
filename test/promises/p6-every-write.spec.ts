import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import { image, uploadForm, uploadRaw } from '@test/helpers/files';
import { probeHubs } from '@test/helpers/hubs';
import { seqOf } from '@test/helpers/updates';
import { planConversation, planState, voiceServices } from '@test/helpers/voice';
import type { QUIET_PROCEDURES } from '@test/realtime/matrix/rows';

const hubs = probeHubs();
const { server, services } = voiceServices({ ACCOUNT_HUB: hubs.binding, REVENUECAT_API_KEY: undefined });
const AGENT = { agentId: 'agent' };

/** Makes a write possible; the write answers its status. */
type Case = (account: TestAccount) => Promise<() => Promise<{ status: number }>>;

/** A write through REST that needs nothing to be there. */
const plain =
    (method: string, path: string, body?: object): Case =>
    async (account) =>
    () =>
        account.call(method, path, body);

/** An access key's session and machine, with the key if wanted. */
async function createPair(account: TestAccount, data?: string): Promise<string> {
    const path = `/v1/access-keys/${await createSession(account)}/${await createMachine(account)}`;
    if (data) await account.call('POST', path, { data });
    return path;
}

/** A conversation that is open, and has ended meanwhile without this server knowing. */
async function endConversation(account: TestAccount): Promise<void> {
    const id = await planConversation(services);
    await account.call('POST', '/v1/voice/conversations', AGENT);
    await planState(services, id, { status: 'done', seconds: 1 });
}

/** The writes that no update tells of; those that one does are in the matrix of `test/realtime`. */
const procedures: Record<(typeof QUIET_PROCEDURES)[number], Case> = {
    'accessKeys.create': async (account) => {
        const path = await createPair(account);
        return () => account.call('POST', path, { data: 'd' });
    },
    'accessKeys.update': async (account) => {
        const path = await createPair(account, 'd');
        return () => account.call('PUT', path, { data: 'e', expectedVersion: 1 });
    },
    'connect.register': plain('POST', '/v1/connect/openai/register', { token: 'sk' }),
    'connect.disconnect': plain('DELETE', '/v1/connect/openai'),
    'push.register': plain('POST', '/v1/push-tokens', { token: 't' }),
    'push.delete': plain('DELETE', '/v1/push-tokens/t'),
    'voice.start': async (account) => {
        await planConversation(services);
        return () => account.call('POST', '/v1/voice/conversations', AGENT);
    },
    'voice.token': async (account) => {
        await planConversation(services);
        return () => account.call('POST', '/v1/voice/token', AGENT);
    },
};

const others: Record<string, Case> = {
    'an access key that is there already': async (account) => {
        const path = await createPair(account, 'd');
        return () => account.call('POST', path, { data: 'd' });
    },
    'what ElevenLabs says of a conversation': async (account) => {
        await endConversation(account);
        return () => account.call('GET', '/v1/voice/usage');
    },
    'an uploaded form': async (account) => () => uploadForm(server, account, new File(['a'], 'a.txt')),
    'a raw upload': async (account) => () => uploadRaw(server, account, image('gif')),
    'an upload under a known reuse key': async (account) => {
        const upload = () => uploadRaw(server, account, image('gif'), { reuseKey: 'k' });
        await upload();
        return upload;
    },
    'the end of a file': async (account) => {
        const { id } = (await uploadRaw(server, account, image('gif'))).body.file;
        return () => account.call('DELETE', `/v1/uploads/${id}`);
    },
};

describe('P6 a write that no update tells of', () => {
    it.each(Object.entries({ ...procedures, ...others }))(
        'tells the hub how far the account is, so that a loss before it is noticed: %s',
        async (_, prepare) => {
            const account = await createAccount(server);
            const write = await prepare(account);
            await createSession(account, 'counted');
            hubs.attempts.length = 0;
            // A key that is there already is an answer, too.
            expect([200, 409]).toContain((await write()).status);
            const seq = await seqOf(server, account);
            expect(seq).toBeGreaterThan(0);
            expect(hubs.attempts).toEqual([{ accountId: account.id, seq, updates: [], ephemerals: [] }]);
        },
    );
});
