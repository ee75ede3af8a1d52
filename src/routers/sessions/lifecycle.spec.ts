import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { probeHubs } from '@test/helpers/hubs';
import { appendTexts, readAll } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';
import { seqOf, updatesOf } from '@test/helpers/updates';

const hubs = probeHubs();
const server = startServer({ ACCOUNT_HUB: hubs.binding });
const clock = holdClock();

const STOCK = { 'X-Happy-Client': 'ios/1.7' };

describe('GET /v1/sessions/:id/state', () => {
    it('tells that a session runs, and when it was last active', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        const lastActivity = Date.now();
        clock.advance(1000);
        await appendTexts(account, sessionId, ['no sign of life']);
        expect(await stateOf(account, sessionId)).toEqual({
            sessionId,
            state: 'active',
            stoppedAt: null,
            stoppedReason: null,
            lastActivity,
        });
    });

    it('tells that it was stopped, and when', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        clock.advance(1000);
        await account.call('DELETE', `/v1/sessions/${sessionId}`);
        const stopped = {
            state: 'stopped',
            stoppedAt: Date.now(),
            stoppedReason: null,
            lastActivity: Date.now() - 1000,
        };
        expect(await stateOf(account, sessionId)).toEqual({ sessionId, ...stopped });
    });

    it('tells that it was archived, when and why', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        clock.advance(1000);
        await account.call('POST', `/v1/sessions/${sessionId}/archive`, { reason: 'done' });
        const archived = {
            state: 'archived',
            stoppedAt: Date.now(),
            stoppedReason: 'done',
            lastActivity: Date.now() - 1000,
        };
        expect(await stateOf(account, sessionId)).toEqual({ sessionId, ...archived });
    });
});

describe('DELETE /v1/sessions/:id', () => {
    it('stops a session, which stays with all that it has', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const [message] = await appendTexts(account, id, ['kept']);
        const before = await account.call('GET', `/v1/sessions/${id}`);
        clock.advance(1000);
        const { status, body } = await account.call('DELETE', `/v1/sessions/${id}`);
        expect([status, body]).toEqual([200, { success: true }]);

        const session = { ...before.body.session, active: false, updatedAt: Date.now() };
        expect((await account.call('GET', `/v1/sessions/${id}`)).body).toEqual({ session });
        expect((await account.call('GET', '/v1/sessions')).body).toEqual({ sessions: [session] });
        expect((await account.call('GET', '/v2/sessions')).body.sessions).toEqual([session]);
        expect(await readAll(account, id)).toMatchObject([{ id: message?.id }]);
    });

    it('leaves a session archived as it was, when and why', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        await account.call('POST', `/v1/sessions/${id}/archive`, { reason: 'done' });
        const archived = await stateOf(account, id);
        clock.advance(1000);
        expect((await account.call('DELETE', `/v1/sessions/${id}`)).status).toBe(200);
        expect(await stateOf(account, id)).toEqual(archived);
    });

    it('tells of it by an ephemeral, not by an update', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const activeAt = Date.now();
        clock.advance(1000);
        await account.call('DELETE', `/v1/sessions/${id}`);
        expect(hubs.attempts.at(-1)).toEqual({
            accountId: account.id,
            seq: 1,
            updates: [],
            ephemerals: [inactive(id, activeAt)],
        });
        expect(await seqOf(server, account)).toBe(1);
    });

    it('can be said again', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        for (let i = 0; i < 2; i++) expect((await account.call('DELETE', `/v1/sessions/${id}`)).status).toBe(200);
        expect((await account.call('DELETE', '/v1/sessions/none')).status).toBe(404);
    });
});

describe('DELETE /v1/sessions/:id of a stock client', () => {
    it('removes the session and all that hangs on it, and nothing else', async () => {
        const account = await createAccount(server);
        const [id, other] = [await createSession(account), await createSession(account)];
        for (const session of [id, other]) {
            await appendTexts(account, session, ['one', 'two']);
            await hangOn(account, session);
        }
        const left = await rowsOf(other);
        const { status, body } = await account.call('DELETE', `/v1/sessions/${id}`, undefined, STOCK);
        expect([status, body]).toEqual([200, { success: true }]);

        expect(await rowsOf(id)).toEqual({ Session: 0, SessionMessage: 0, UsageReport: 0, AccessKey: 0 });
        expect(await rowsOf(other)).toEqual(left);
        expect(left).toEqual({ Session: 1, SessionMessage: 2, UsageReport: 1, AccessKey: 1 });
        expect((await account.call('GET', `/v1/sessions/${id}`)).status).toBe(404);
        expect((await account.call('GET', `/v3/sessions/${id}/messages`)).status).toBe(404);
        expect((await account.call('DELETE', `/v1/sessions/${id}`, undefined, STOCK)).status).toBe(404);
    });

    it('tells of it by an update', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        await account.call('DELETE', `/v1/sessions/${id}`, undefined, STOCK);
        const updates = await updatesOf(server, account, 1);
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            { seq: 2, body: { t: 'delete-session', sid: id }, to: { session: id } },
        ]);
        expect(hubs.attempts.at(-1)?.ephemerals).toEqual([]);
    });

    it('works on a session that was stopped before, and frees its tag', async () => {
        const account = await createAccount(server);
        const id = await createSession(account, 'tag');
        await account.call('DELETE', `/v1/sessions/${id}`);
        expect((await account.call('DELETE', `/v1/sessions/${id}`, undefined, STOCK)).status).toBe(200);
        expect(await createSession(account, 'tag')).not.toBe(id);
    });

    it('is what other clients get by asking for it', async () => {
        const account = await createAccount(server);
        const ids = [await createSession(account), await createSession(account)] as const;
        await account.call('DELETE', `/v1/sessions/${ids[0]}`, { hard: true });
        await createClient(server, account.token).sessions.delete.mutate({ id: ids[1], hard: true });
        for (const id of ids) expect((await account.call('GET', `/v1/sessions/${id}`)).status).toBe(404);
    });
});

describe('POST /v1/sessions/:id/archive', () => {
    it('archives a session and tells of it by an ephemeral', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        const activeAt = Date.now();
        clock.advance(1000);
        const input = { reason: 'User terminated', originalError: 'e'.repeat(100_000) };
        const { status, body } = await account.call('POST', `/v1/sessions/${sessionId}/archive`, input);
        expect([status, body]).toEqual([200, { success: true, sessionId, archivedAt: Date.now() }]);
        expect((await account.call('GET', `/v1/sessions/${sessionId}`)).body.session.active).toBe(false);
        expect(hubs.attempts.at(-1)).toEqual({
            accountId: account.id,
            seq: 1,
            updates: [],
            ephemerals: [inactive(sessionId, activeAt)],
        });
    });

    it('changes nothing when said again', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const first = await account.call('POST', `/v1/sessions/${id}/archive`, { reason: 'first' });
        const session = await account.call('GET', `/v1/sessions/${id}`);
        clock.advance(1000);
        server.db.rowsWritten = 0;
        const again = await account.call('POST', `/v1/sessions/${id}/archive`, { reason: 'second' });
        expect(again.body).toEqual(first.body);
        expect(server.db.rowsWritten).toBe(0);
        expect((await account.call('GET', `/v1/sessions/${id}`)).body).toEqual(session.body);
        expect((await stateOf(account, id)).stoppedReason).toBe('first');
    });

    it.each([[{ reason: null, originalError: null }], [{}], [undefined]])('needs no reason: %j', async (input) => {
        const account = await createAccount(server);
        const id = await createSession(account);
        expect((await account.call('POST', `/v1/sessions/${id}/archive`, input)).status).toBe(200);
        expect((await stateOf(account, id)).stoppedReason).toBeNull();
    });

    it('lets messages in afterwards, which revive nothing', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        await account.call('POST', `/v1/sessions/${id}/archive`);
        const before = await stateOf(account, id);
        clock.advance(1000);
        expect(await appendTexts(account, id, ['late'])).toMatchObject([{ seq: 1 }]);
        expect((await account.call('POST', `/v1/sessions/${id}/messages`, { content: 'later' })).body.message.seq).toBe(
            2,
        );
        expect(await stateOf(account, id)).toEqual(before);
        expect((await account.call('GET', '/v2/sessions/active')).body).toEqual({ sessions: [] });
        expect((await account.call('GET', `/v1/sessions/${id}`)).body.session).toMatchObject({ active: false, seq: 2 });
    });

    it('knows no other session', async () => {
        const account = await createAccount(server);
        expect((await account.call('POST', '/v1/sessions/none/archive')).body.error).toBe('Session not found');
    });
});

async function stateOf(account: TestAccount, id: string) {
    return (await account.call('GET', `/v1/sessions/${id}/state`)).body;
}

function inactive(id: string, activeAt: number) {
    return {
        ephemeral: { type: 'activity', id, sid: id, active: false, activeAt, thinking: false },
        to: {},
        stopped: { kind: 'session', id, at: Date.now() },
    };
}

/** Usage and an access key, which other domains hang on a session. */
async function hangOn(account: TestAccount, session: string): Promise<void> {
    await env.DB.batch([
        env.DB.prepare(
            `INSERT INTO UsageReport (id, key, accountId, sessionId, data, createdAt, updatedAt)
            VALUES (?, 'key', ?, ?, '{}', 0, 0)`,
        ).bind(`usage ${session}`, account.id, session),
        env.DB.prepare(
            `INSERT INTO Machine (id, accountId, metadata, lastActiveAt, createdAt, updatedAt)
            VALUES (?, ?, '', 0, 0, 0)`,
        ).bind(`machine ${session}`, account.id),
        env.DB.prepare(
            `INSERT INTO AccessKey (id, accountId, machineId, sessionId, data, createdAt, updatedAt)
            VALUES (?, ?, ?, ?, '', 0, 0)`,
        ).bind(`key ${session}`, account.id, `machine ${session}`, session),
    ]);
}

/** How many rows of each table belong to a session. */
async function rowsOf(session: string): Promise<Record<string, number>> {
    const tables = { Session: 'id', SessionMessage: 'sessionId', UsageReport: 'sessionId', AccessKey: 'sessionId' };
    const counts = Object.entries(tables).map(async ([table, column]) => {
        const row = await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`)
            .bind(session)
            .first<{ n: number }>();
        return [table, row?.n] as const;
    });
    return Object.fromEntries(await Promise.all(counts)) as Record<string, number>;
}
