import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';

const server = startServer();
const clock = holdClock();
const MINUTE = 60_000;

describe('GET /v1/sessions', () => {
    it('lists sessions, those that changed last first', async () => {
        const account = await createAccount(server);
        expect((await account.call('GET', '/v1/sessions')).body).toEqual({ sessions: [] });
        const [a, b, c] = await createSessions(account, 3);
        expect(await idsOf(account, '/v1/sessions')).toEqual([c, b, a]);
        await appendTexts(account, a!, ['touched']);
        clock.advance(1);
        await account.call('PUT', `/v1/sessions/${b}/metadata`, { metadata: 'touched', expectedVersion: 1 });
        expect(await idsOf(account, '/v1/sessions')).toEqual([b, a, c]);
    });

    it('shows a session as it is shown alone', async () => {
        const account = await createAccount(server);
        const input = { tag: 't', metadata: 'm', agentState: 's', dataEncryptionKey: 'AAEC' };
        const { body } = await account.call('POST', '/v1/sessions', input);
        expect((await account.call('GET', '/v1/sessions')).body).toEqual({ sessions: [body.session] });
    });

    it('ends after 150', async () => {
        const account = await createAccount(server);
        const ids = await createSessions(account, 152);
        expect(await idsOf(account, '/v1/sessions')).toEqual(ids.slice(2).toReversed());
    });

    it('keeps stopped and archived sessions', async () => {
        const account = await createAccount(server);
        const [stopped, archived] = await createSessions(account, 2);
        await account.call('DELETE', `/v1/sessions/${stopped}`);
        clock.advance(1);
        await account.call('POST', `/v1/sessions/${archived}/archive`);
        const { body } = await account.call('GET', '/v1/sessions');
        expect(body.sessions).toMatchObject([
            { id: archived, active: false },
            { id: stopped, active: false },
        ]);
    });

    it('holds fewer when they are long, since a Worker has 128 MB', async () => {
        const account = await createAccount(server);
        const big = { metadata: 'x'.repeat(1_000_000), agentState: 'x'.repeat(400_000) };
        for (let i = 0; i < 8; i++) await account.call('POST', '/v1/sessions', { tag: `${i}`, ...big });
        for (const path of ['/v1/sessions', '/v2/sessions', '/v2/sessions/active']) {
            expect(await idsOf(account, path)).toHaveLength(6);
        }
        const { body } = await account.call('GET', '/v2/sessions');
        const rest = await account.call('GET', `/v2/sessions?cursor=${body.nextCursor}`);
        expect(rest.body).toMatchObject({ nextCursor: null, hasNext: false });
        expect(rest.body.sessions).toHaveLength(2);
    });
});

describe('GET /v2/sessions/active', () => {
    it('lists sessions active within 15 minutes, the most recent first', async () => {
        const account = await createAccount(server);
        const [old] = await createSessions(account, 1);
        clock.advance(10 * MINUTE);
        const [a, b, stopped, archived] = await createSessions(account, 4);
        await account.call('DELETE', `/v1/sessions/${stopped}`);
        await account.call('POST', `/v1/sessions/${archived}/archive`);
        expect(await idsOf(account, '/v2/sessions/active')).toEqual([b, a, old]);

        // The first one was seen 10 minutes and 5 ms before now, and what was seen 15 minutes ago is out.
        clock.advance(5 * MINUTE - 6);
        expect(await idsOf(account, '/v2/sessions/active')).toEqual([b, a, old]);
        clock.advance(1);
        expect(await idsOf(account, '/v2/sessions/active')).toEqual([b, a]);
        clock.advance(15 * MINUTE);
        expect(await idsOf(account, '/v2/sessions/active')).toEqual([]);
    });

    it('ends after 150, or after as many as asked for', async () => {
        const account = await createAccount(server);
        const ids = (await createSessions(account, 152)).toReversed();
        expect(await idsOf(account, '/v2/sessions/active')).toEqual(ids.slice(0, 150));
        expect(await idsOf(account, '/v2/sessions/active?limit=2')).toEqual(ids.slice(0, 2));
        expect(await idsOf(account, '/v2/sessions/active?limit=500')).toEqual(ids);
    });

    it.each(['0', '501', '-1', '1.5', 'many', ''])('refuses the limit "%s"', async (limit) => {
        const account = await createAccount(server);
        const { status, body } = await account.call('GET', `/v2/sessions/active?limit=${limit}`);
        expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    });
});

/** Sessions made a millisecond apart, oldest first. */
async function createSessions(account: TestAccount, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
        ids.push(await createSession(account));
        clock.advance(1);
    }
    return ids;
}

async function idsOf(account: TestAccount, path: string): Promise<string[]> {
    const { body } = await account.call('GET', path);
    return body.sessions.map(({ id }: { id: string }) => id);
}
