import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const clock = holdClock();

const FULL = { tag: 'a tag', metadata: 'bWV0YQ==', agentState: 'c3RhdGU=', dataEncryptionKey: 'AAECAw==' };

describe('POST /v1/sessions', () => {
    it('creates a session with first versions, active from now on', async () => {
        const account = await createAccount(server);
        const { status, body } = await account.call('POST', '/v1/sessions', FULL);
        expect(status).toBe(200);
        const now = Date.now();
        expect(body).toEqual({
            session: {
                id: expect.stringMatching(/^c[0-9a-z]{24}$/),
                seq: 0,
                createdAt: now,
                updatedAt: now,
                active: true,
                activeAt: now,
                metadata: 'bWV0YQ==',
                metadataVersion: 1,
                agentState: 'c3RhdGU=',
                agentStateVersion: 1,
                dataEncryptionKey: 'AAECAw==',
                lastMessage: null,
            },
        });
    });

    it.each([
        ['left out', {}],
        ['null', { agentState: null, dataEncryptionKey: null }],
    ])('takes agent state and key that are %s for none, at version 0', async (_, optional) => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/sessions', { tag: 't', metadata: '', ...optional });
        expect(body.session).toMatchObject({ agentState: null, agentStateVersion: 0, dataEncryptionKey: null });
    });

    it('tells the user-scoped sockets of a new session', async () => {
        const account = await createAccount(server);
        const { body } = await account.call('POST', '/v1/sessions', FULL);
        const { lastMessage: _, ...fields } = body.session;
        const updates = await updatesOf(server, account);
        expect(updates).toEqual([
            {
                update: {
                    id: expect.any(String),
                    seq: 1,
                    body: { t: 'new-session', ...fields },
                    createdAt: Date.now(),
                },
                to: {},
            },
        ]);
        expect(await seqOf(server, account)).toBe(1);
    });

    it('returns the session that has the tag already, unchanged, and tells nothing', async () => {
        const account = await createAccount(server);
        const first = await account.call('POST', '/v1/sessions', FULL);
        clock.advance(1000);
        server.db.rowsWritten = 0;
        const again = await account.call('POST', '/v1/sessions', {
            tag: FULL.tag,
            metadata: 'other',
            agentState: 'other',
        });
        expect(again.status).toBe(200);
        expect(again.body).toEqual(first.body);
        expect(server.db.rowsWritten).toBe(0);
        expect(await seqOf(server, account)).toBe(1);
        expect(await updatesOf(server, account)).toHaveLength(1);
    });

    it('takes the same tag of two accounts for two sessions', async () => {
        const [one, other] = [await createAccount(server), await createAccount(server)];
        const mine = await one.call('POST', '/v1/sessions', FULL);
        const theirs = await other.call('POST', '/v1/sessions', { ...FULL, metadata: 'theirs' });
        expect(theirs.body.session.id).not.toBe(mine.body.session.id);
        expect(theirs.body.session.metadata).toBe('theirs');
    });
});

describe('GET /v1/sessions/:id', () => {
    it('returns the session as creating it did', async () => {
        const account = await createAccount(server);
        const created = await account.call('POST', '/v1/sessions', FULL);
        const { status, body } = await account.call('GET', `/v1/sessions/${created.body.session.id}`);
        expect(status).toBe(200);
        expect(body).toEqual(created.body);
    });

    it('knows no other', async () => {
        const account = await createAccount(server);
        const { status, body } = await account.call('GET', '/v1/sessions/none');
        expect(status).toBe(404);
        expect(body).toEqual({ error: 'Session not found', code: 'NOT_FOUND', requestId: expect.any(String) });
    });
});
