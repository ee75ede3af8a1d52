import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();
const valid = { id: 'm', metadata: 'm' };

describe('POST /v1/machines refuses', () => {
    it.each([
        ['nothing', {}, ['id', 'metadata']],
        ['an empty id', { ...valid, id: '' }, ['id']],
        ['an id of 129 bytes', { ...valid, id: 'i'.repeat(129) }, ['id']],
        ['an id of over 128 bytes in fewer characters', { ...valid, id: 'é'.repeat(65) }, ['id']],
        ['an id with NUL', { ...valid, id: 'a\0' }, ['id']],
        ['an id with half a character', { ...valid, id: 'a\ud800' }, ['id']],
        ['an id that is a number', { ...valid, id: 7 }, ['id']],
        ['metadata null', { ...valid, metadata: null }, ['metadata']],
        ['metadata of 1,000,001 bytes', { ...valid, metadata: 'm'.repeat(1_000_001) }, ['metadata']],
        ['a daemonState that is an object', { ...valid, daemonState: {} }, ['daemonState']],
        [
            'both texts over 1,500,000 bytes',
            { ...valid, metadata: 'm'.repeat(1_000_000), daemonState: 'd'.repeat(500_001) },
            ['metadata'],
        ],
        ['a key that is no base64', { ...valid, dataEncryptionKey: '%%%' }, ['dataEncryptionKey']],
        ['a key without padding', { ...valid, dataEncryptionKey: 'AAE' }, ['dataEncryptionKey']],
        ['a key of 1,025 bytes', { ...valid, dataEncryptionKey: btoa('k'.repeat(1025)) }, ['dataEncryptionKey']],
        ['an array', [valid], ['']],
    ])('%s', async (_, body, paths) => {
        const account = await createAccount(server);
        const answer = await account.call('POST', '/v1/machines', body);
        expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
        const named = answer.body.issues.map((issue: { path: string }) => issue.path);
        expect([...new Set(named)]).toEqual(paths);
        expect((await account.call('GET', '/v1/machines')).body.machines).toEqual([]);
    });
});

describe('POST /v1/machines takes', () => {
    it.each([
        [
            'what fills a row',
            { id: 'i'.repeat(128), metadata: 'm'.repeat(1_000_000), daemonState: 'd'.repeat(500_000) },
        ],
        ['an id in any script', { ...valid, id: '机器/%2F 😀' }],
        ['fields it does not know', { ...valid, color: 'green' }],
    ])('%s, and finds it again', async (_, body) => {
        const account = await createAccount(server);
        const { status, body: made } = await account.call('POST', '/v1/machines', body);
        expect(status).toBe(200);
        expect(made.machine).toMatchObject({ id: body.id, metadata: body.metadata });
        expect((await account.call('GET', `/v1/machines/${encodeURIComponent(body.id)}`)).body).toEqual(made);
    });
});
