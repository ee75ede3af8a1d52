import { describe, expect, it } from 'vitest';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createSession } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { appendTexts } from '@test/helpers/messages';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();
const clock = holdClock();
const STOCK = { 'X-Happy-Client': 'cli-coding-session/1.2.5' };

describe('GET /v2/sessions', () => {
    it('lists sessions page by page, newest created first', async () => {
        const account = await createAccount(server);
        const ids = (await createSessions(account, 5, 1)).toReversed();
        // A change does not move a session here.
        await appendTexts(account, ids[4]!, ['touched']);

        const first = await account.call('GET', '/v2/sessions?limit=2');
        expect(first.body.sessions.map(idOf)).toEqual(ids.slice(0, 2));
        expect(first.body).toMatchObject({ nextCursor: `cursor_v1_${ids[1]}`, hasNext: true });
        const second = await account.call('GET', `/v2/sessions?limit=2&cursor=${first.body.nextCursor}`);
        expect(second.body.sessions.map(idOf)).toEqual(ids.slice(2, 4));
        const third = await account.call('GET', `/v2/sessions?limit=2&cursor=${second.body.nextCursor}`);
        expect(third.body.sessions.map(idOf)).toEqual(ids.slice(4));
        expect(third.body).toMatchObject({ nextCursor: null, hasNext: false });
    });

    it('holds 50 unless told otherwise', async () => {
        const account = await createAccount(server);
        await createSessions(account, 51, 1);
        const { body } = await account.call('GET', '/v2/sessions');
        expect([body.sessions.length, body.hasNext]).toEqual([50, true]);
        expect((await account.call('GET', '/v2/sessions?limit=200')).body.sessions).toHaveLength(51);
    });

    it('has no further page after one that is just full', async () => {
        const account = await createAccount(server);
        await createSessions(account, 2, 1);
        const { body } = await account.call('GET', '/v2/sessions?limit=2');
        expect(body).toMatchObject({ nextCursor: null, hasNext: false });
    });

    it('goes on by id among sessions of the same millisecond', async () => {
        const account = await createAccount(server);
        const ids = (await createSessions(account, 7, 0)).sort().toReversed();
        expect(await walk(account, 'limit=2')).toEqual(ids);
        expect(await walk(account, 'limit=1')).toEqual(ids);
    });

    it('shows no session twice and skips none while others come and go', async () => {
        const account = await createAccount(server);
        const ids = (await createSessions(account, 12, 1)).toReversed();
        const seen = await walk(account, 'limit=3', async (page) => {
            await createSession(account);
            // One that was shown already and one that is still to come; the cursor's own session stays.
            await account.call('DELETE', `/v1/sessions/${ids[page * 3]}`, undefined, STOCK);
            if (page === 1) await account.call('DELETE', `/v1/sessions/${ids[11]}`, undefined, STOCK);
        });
        expect(seen).toEqual(ids.slice(0, 11));
    });

    it.each([
        ['another spelling', 'cursor_v2_x'],
        ['nothing', ''],
        ['no id', 'cursor_v1_'],
        ['an id that is none', "cursor_v1_' OR 1"],
        ['a session that does not exist', 'cursor_v1_cmwuut03pmf6b865kp149v6a9'],
        ['something endless', `cursor_v1_${'x'.repeat(5000)}`],
    ])('refuses a cursor of %s', async (_, cursor) => {
        const account = await createAccount(server);
        await createSession(account);
        const { status, body } = await account.call('GET', `/v2/sessions?cursor=${encodeURIComponent(cursor)}`);
        expect(status).toBe(400);
        expect(body).toEqual({
            error: 'Invalid cursor format',
            code: 'VALIDATION_FAILED',
            requestId: expect.any(String),
            issues: [{ path: '', message: 'Invalid cursor format' }],
        });
    });

    it('refuses a cursor whose session was deleted, or is somebody else’s', async () => {
        const [account, other] = [await createAccount(server), await createAccount(server)];
        const [deleted, theirs] = [await createSession(account), await createSession(other)];
        await account.call('DELETE', `/v1/sessions/${deleted}`, undefined, STOCK);
        for (const id of [deleted, theirs]) {
            const { status, body } = await account.call('GET', `/v2/sessions?cursor=cursor_v1_${id}`);
            expect([status, body.error]).toEqual([400, 'Invalid cursor format']);
        }
    });

    it.each(['0', '201', '-1', '1.5', 'many'])('refuses the limit %s', async (limit) => {
        const account = await createAccount(server);
        const { status, body } = await account.call('GET', `/v2/sessions?limit=${limit}`);
        expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    });
});

describe('changedSince', () => {
    it('only filters: by the last change, in the same order', async () => {
        const account = await createAccount(server);
        const [a, b, c] = await createSessions(account, 3, 1000);
        const since = Date.now();
        clock.advance(1);
        await appendTexts(account, a!, ['touched']);
        clock.advance(1);
        const d = await createSession(account);
        await appendTexts(account, c!, ['touched']);
        expect(await walk(account, `changedSince=${since}`)).toEqual([d, c, a]);
        expect(await walk(account, `limit=1&changedSince=${since}`)).toEqual([d, c, a]);
        expect(await walk(account, `changedSince=${Date.now()}`)).toEqual([]);
        expect(await walk(account, 'changedSince=0')).toEqual([d, c, b, a]);
    });

    it('is milliseconds or ISO 8601, through both doors', async () => {
        const account = await createAccount(server);
        const id = await createSession(account);
        const before = Date.now() - 1;
        const iso = new Date(before).toISOString();
        const offset = new Date(before + 2 * 3600_000).toISOString().replace('Z', '+02:00');
        const client = createClient(server, account.token);
        for (const changedSince of [`${before}`, iso, offset]) {
            expect(await walk(account, `changedSince=${encodeURIComponent(changedSince)}`)).toEqual([id]);
            expect((await client.sessions.page.query({ changedSince })).sessions.map(idOf)).toEqual([id]);
        }
        const later = new Date(before + 1).toISOString();
        expect(await walk(account, `changedSince=${later}`)).toEqual([]);
        expect(await walk(account, 'changedSince=2020-01-01')).toEqual([id]);
    });

    it.each(['yesterday', '', '-1', '2026-13-45', '1e9', '2026-01-01 10:00', '99999999999999999999'])(
        'refuses "%s"',
        async (changedSince) => {
            const account = await createAccount(server);
            const { status, body } = await account.call(
                'GET',
                `/v2/sessions?changedSince=${encodeURIComponent(changedSince)}`,
            );
            expect([status, body.issues?.[0]?.path]).toEqual([400, 'changedSince']);
        },
    );
});

const idOf = ({ id }: { id: string }) => id;

/** Sessions made one after the other, so many ms apart. */
async function createSessions(account: TestAccount, count: number, apart: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
        ids.push(await createSession(account));
        clock.advance(apart);
    }
    return ids;
}

/** The ids of all pages; `between` runs before each further one, with its number. */
async function walk(account: TestAccount, query: string, between?: (page: number) => Promise<void>): Promise<string[]> {
    const seen: string[] = [];
    for (let page = 0, cursor = ''; ; page++) {
        const { body } = await account.call('GET', `/v2/sessions?${query}${cursor}`);
        seen.push(...body.sessions.map(idOf));
        if (!body.hasNext) return seen;
        cursor = `&cursor=${body.nextCursor}`;
        await between?.(page);
    }
}
