import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';

const server = startServer();

describe('append', () => {
    it('works', async () => {
        const account = await createAccount(server);
        const sid = await createSession(account);
        const path = `/v3/sessions/${sid}/messages`;
        const messages = [{ content: 'a', localId: '1' }, { content: 'b', localId: '2' }];
        await account.call('POST', path, { messages });
        server.db.rowsWritten = 0; server.db.roundTrips = 0;
        const { status, body } = await account.call('POST', path, { messages: [{ content: 'c', localId: '3' }] });
        expect(status).toBe(200);
        expect(server.db.rowsWritten).toBe(5);
        expect(server.db.roundTrips).toBe(1);
        const again = await account.call('POST', path, { messages: [{ content: 'x', localId: '3' }, { content: 'd', localId: '4' }] });
        expect(again.body.messages.map((m: any) => [m.localId, m.seq])).toEqual([['3', 3], ['4', 4]]);
        const list = await account.call('GET', `/v1/sessions/${sid}/messages`);
        expect(list.body).toEqual({});
        expect(body).toEqual({});
    });
});
