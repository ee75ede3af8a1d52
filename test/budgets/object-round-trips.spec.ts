import { describe, expect, it } from 'vitest';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';

const server = startServer();

/** An account with one of everything, its token verified. */
async function furnished() {
    const account = await createAccount(server);
    const [session, machine, artifact] = [
        await createSession(account),
        await createMachine(account),
        crypto.randomUUID(),
    ];
    await account.call('POST', '/v1/artifacts', { id: artifact, header: '', body: '', dataEncryptionKey: '' });
    await account.call('POST', `/v1/access-keys/${session}/${machine}`, { data: 'd' });
    await account.call('POST', '/v1/kv', { mutations: [{ key: 'key', value: 'AAAA', version: -1 }] });
    await account.call('POST', '/v1/push-tokens', { token: 'token' });
    const other = await createMachine(account);
    const names: Record<string, string> = { session, machine, artifact, other, new: crypto.randomUUID() };
    return { account, fill: (path: string) => path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? name) };
}

const artifact = { header: 'AAAA', body: 'AAAA', dataEncryptionKey: 'AAAA' };

/** Every operation of machines, artifacts, access keys, the key-value store and push tokens, in each of its outcomes. */
const OPERATIONS: [status: number, method: string, path: string, body?: object][] = [
    [200, 'GET', '/v1/machines'],
    [200, 'GET', '/v1/machines?activeOnly=true'],
    [200, 'GET', '/v1/machines/{machine}'],
    [404, 'GET', '/v1/machines/none'],
    [200, 'POST', '/v1/machines', { id: '{new}', metadata: 'm' }],
    [200, 'POST', '/v1/machines', { id: '{machine}', metadata: 'm' }],
    [200, 'PUT', '/v1/machines/{machine}/status', { active: true, metadata: 'm', daemonState: 'd' }],
    [404, 'PUT', '/v1/machines/none/status', {}],
    [200, 'PUT', '/v1/machines/{machine}/metadata', { metadata: 'm', expectedVersion: 1 }],
    [200, 'PUT', '/v1/machines/{machine}/metadata', { metadata: 'm', expectedVersion: 2 }],
    [404, 'PUT', '/v1/machines/none/metadata', { metadata: 'm', expectedVersion: 1 }],
    [200, 'PUT', '/v1/machines/{machine}/daemon-state', { daemonState: 'd', expectedVersion: 0 }],
    [200, 'PUT', '/v1/machines/{machine}/daemon-state', { daemonState: 'd', expectedVersion: 1 }],
    [404, 'PUT', '/v1/machines/none/daemon-state', { daemonState: 'd', expectedVersion: 1 }],
    [200, 'DELETE', '/v1/machines/{machine}'],
    [404, 'DELETE', '/v1/machines/none'],
    [200, 'GET', '/v1/artifacts'],
    [200, 'GET', '/v1/artifacts/{artifact}'],
    [404, 'GET', '/v1/artifacts/none'],
    [200, 'POST', '/v1/artifacts', { id: '{new}', ...artifact }],
    [200, 'POST', '/v1/artifacts', { id: '{artifact}', ...artifact }],
    [200, 'POST', '/v1/artifacts/{artifact}', {}],
    [
        200,
        'POST',
        '/v1/artifacts/{artifact}',
        { header: 'AAAA', expectedHeaderVersion: 1, body: 'AAAA', expectedBodyVersion: 1 },
    ],
    [
        200,
        'POST',
        '/v1/artifacts/{artifact}',
        { header: 'AAAA', expectedHeaderVersion: 2, body: 'AAAA', expectedBodyVersion: 2 },
    ],
    [404, 'POST', '/v1/artifacts/none', { header: 'AAAA', expectedHeaderVersion: 1 }],
    [200, 'DELETE', '/v1/artifacts/{artifact}'],
    [404, 'DELETE', '/v1/artifacts/none'],
    [200, 'GET', '/v1/access-keys/{session}/{machine}'],
    [200, 'GET', '/v1/access-keys/{session}/{other}'],
    [404, 'GET', '/v1/access-keys/{session}/none'],
    [200, 'POST', '/v1/access-keys/{session}/{other}', { data: 'd' }],
    [409, 'POST', '/v1/access-keys/{session}/{machine}', { data: 'd' }],
    [404, 'POST', '/v1/access-keys/none/{machine}', { data: 'd' }],
    [200, 'PUT', '/v1/access-keys/{session}/{machine}', { data: 'd', expectedVersion: 1 }],
    [200, 'PUT', '/v1/access-keys/{session}/{machine}', { data: 'd', expectedVersion: 2 }],
    [404, 'PUT', '/v1/access-keys/{session}/{other}', { data: 'd', expectedVersion: 1 }],
    [404, 'PUT', '/v1/access-keys/none/none', { data: 'd', expectedVersion: 1 }],
    [200, 'GET', '/v1/kv/key'],
    [404, 'GET', '/v1/kv/none'],
    [200, 'GET', '/v1/kv'],
    [200, 'GET', '/v1/kv?prefix=k'],
    [200, 'POST', '/v1/kv/bulk', { keys: ['key', 'none'] }],
    [
        200,
        'POST',
        '/v1/kv',
        {
            mutations: [
                { key: 'key', value: null, version: 0 },
                { key: 'b', value: '', version: -1 },
            ],
        },
    ],
    [409, 'POST', '/v1/kv', { mutations: [{ key: 'key', value: 'AAAA', version: -1 }] }],
    [200, 'POST', '/v1/push-tokens', { token: 'token' }],
    [200, 'GET', '/v1/push-tokens'],
    [200, 'DELETE', '/v1/push-tokens/token'],
    [200, 'DELETE', '/v1/push-tokens/none'],
];

describe('one D1 round trip', () => {
    it.each(OPERATIONS)('%i %s %s %j', async (status, method, path, body) => {
        const { account, fill } = await furnished();
        const input = body && fill(JSON.stringify(body));
        let answered: number | undefined;
        const roundTrips = await roundTripsOf(server, async () => {
            answered = (await account.call(method, fill(path), input)).status;
        });
        expect(answered).toBe(status);
        expect(roundTrips).toBe(1);
    });
});
