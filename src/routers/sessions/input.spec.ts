import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();
const MB = 1_000_000;
const base64 = (bytes: number) => btoa('x'.repeat(bytes));

describe('limits of a new session (contract 4)', () => {
    it.each([
        ['the longest tag', { tag: 'é'.repeat(128) }],
        ['the longest metadata', { metadata: 'x'.repeat(MB) }],
        ['the longest metadata in bytes of UTF-8', { metadata: '😀'.repeat(MB / 4) }],
        ['the longest agent state', { agentState: 'x'.repeat(MB) }],
        ['the longest metadata and agent state together', { metadata: 'x'.repeat(MB), agentState: 'é'.repeat(MB / 4) }],
        ['the longest key', { dataEncryptionKey: base64(1024) }],
        ['empty texts and an empty key', { metadata: '', agentState: '', dataEncryptionKey: '' }],
        ['fields that it does not know', { surprise: 1 }],
    ])('takes %s', async (_, input) => {
        const account = await createAccount(server);
        const { status, body } = await account.call('POST', '/v1/sessions', { tag: 't', metadata: 'm', ...input });
        expect(status).toBe(200);
        const { tag: _tag, ...stored } = { metadata: 'm', ...input } as Record<string, unknown>;
        delete stored.surprise;
        expect(body.session).toMatchObject(stored);
        expect((await account.call('GET', `/v1/sessions/${body.session.id}`)).body).toEqual(body);
    });

    it.each([
        ['no tag', 'tag', { tag: undefined }],
        ['an empty tag', 'tag', { tag: '' }],
        ['a longer tag', 'tag', { tag: 'x'.repeat(257) }],
        ['a tag longer in bytes of UTF-8', 'tag', { tag: `${'é'.repeat(128)}x` }],
        ['a tag with NUL', 'tag', { tag: 'a\0b' }],
        ['a tag with half a character', 'tag', { tag: 'a\ud800' }],
        ['no metadata', 'metadata', { metadata: null }],
        ['metadata that is no text', 'metadata', { metadata: { plain: true } }],
        ['longer metadata', 'metadata', { metadata: 'x'.repeat(MB + 1) }],
        ['metadata longer in bytes of UTF-8', 'metadata', { metadata: `${'é'.repeat(MB / 2)}x` }],
        ['longer agent state', 'agentState', { agentState: 'x'.repeat(MB + 1) }],
        ['too much together', 'metadata', { metadata: 'x'.repeat(MB), agentState: `${'é'.repeat(MB / 4)}x` }],
        ['a longer key', 'dataEncryptionKey', { dataEncryptionKey: base64(1025) }],
        ['a key that is not base64', 'dataEncryptionKey', { dataEncryptionKey: 'no base64' }],
        ['a key without its padding', 'dataEncryptionKey', { dataEncryptionKey: 'AAEC/w' }],
        ['a key in base64url', 'dataEncryptionKey', { dataEncryptionKey: '-_-_' }],
    ])('refuses %s', async (_, path, input) => {
        const account = await createAccount(server);
        const { status, body } = await account.call('POST', '/v1/sessions', { tag: 't', metadata: 'm', ...input });
        expect(status).toBe(400);
        expect(body).toMatchObject({ error: 'Invalid input', code: 'VALIDATION_FAILED' });
        expect(body.issues.map((issue: { path: string }) => issue.path)).toContain(path);
        expect((await account.call('GET', '/v1/sessions')).body).toEqual({ sessions: [] });
    });
});

describe('ids in paths', () => {
    it.each([
        ['as long as they come', 'x'.repeat(128), 404],
        ['longer', 'x'.repeat(129), 400],
        ['of encoded slashes and spaces', 'a%2Fb%20c', 404],
        ['of Unicode', encodeURIComponent('é😀'), 404],
        ['with NUL', 'a%00b', 400],
    ])('%s are refused', async (_, id, status) => {
        const account = await createAccount(server);
        await createSession(account);
        const answer = await account.call('GET', `/v1/sessions/${id}`);
        expect([answer.status, Object.keys(answer.body).includes('error')]).toEqual([status, true]);
    });
});
