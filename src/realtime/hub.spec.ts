import { describe, expect, it } from 'vitest';
import { createAccount, createSession } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { openSocket } from '@test/helpers/socket';

const server = startServer();

describe('live updates', () => {
    it('reach a user-scoped socket', async () => {
        const account = await createAccount(server);
        const socket = await openSocket(server, { headers: { Authorization: `Bearer ${account.token}` } });
        const sid = await createSession(account);
        await account.call('POST', `/v3/sessions/${sid}/messages`, { messages: [{ content: 'a', localId: '1' }] });
        await socket.next(({ event, data }) => event === 'update' && data.body.t === 'new-message');
        expect(socket.updates().map(({ seq, body }) => [seq, body.t])).toEqual([[1, 'new-session'], [2, 'new-message']]);
        const ack = await socket.request('message', { sid, message: 'b', localId: '2' });
        expect(ack).toEqual({ result: 'success', id: expect.any(String), seq: 2 });
        const state = await socket.request('update-metadata', { sid, metadata: 'n', expectedVersion: 1 });
        expect(state).toEqual({ result: 'success', version: 2, metadata: 'n' });
        expect(await socket.request('nonsense')).toEqual({ result: 'error', message: 'Unknown event' });
        socket.send('session-alive', { sid, time: Date.now(), thinking: true });
        await socket.next(({ event, data }) => event === 'ephemeral' && data.type === 'activity');
        const missed = await socket.request('request-updates-since', { seq: 1 });
        expect(missed.updates.map((u: any) => u.seq)).toEqual([2, 3, 4]);
    });

    it('message auth and rpc', async () => {
        const account = await createAccount(server);
        const a = await openSocket(server, { greet: false });
        a.send('auth', { token: account.token, clientType: 'user-scoped' });
        await a.next(({ event }) => event === 'connected');
        const b = await openSocket(server, { headers: { Authorization: `Bearer ${account.token}` } });
        a.send('rpc-register', { method: 'x:do' });
        await a.next(({ event }) => event === 'rpc-registered');
        const answer = b.request('rpc-call', { method: 'x:do', params: 'p' });
        const asked = await a.next(({ event }) => event === 'rpc-request');
        expect(asked.data).toEqual({ method: 'x:do', params: 'p' });
        a.sendText(JSON.stringify({ event: 'rpc-response', ackId: asked.ackId, ack: 'r' }));
        expect(await answer).toEqual({ ok: true, result: 'r' });
        const sid = await createSession(account);
        await a.next(({ event }) => event === 'update');
        const { body } = await account.call('GET', '/v1/websocket/stats');
        expect(body.totalConnections).toBe(2);
        a.close();
        expect(sid).toBeTruthy();
    });
});
