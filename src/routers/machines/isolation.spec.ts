import { describe, expect, it } from 'vitest';
import { createAccount, createMachine } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();

describe('P8 isolation', () => {
    it.each([
        ['GET', '', undefined],
        ['PUT', '/status', { active: true, metadata: 'mine', daemonState: 'mine' }],
        ['PUT', '/metadata', { metadata: 'mine', expectedVersion: 1 }],
        ['PUT', '/metadata', { metadata: 'mine', expectedVersion: 9 }],
        ['PUT', '/daemon-state', { daemonState: 'mine', expectedVersion: 0 }],
        ['DELETE', '', undefined],
    ])("%s /v1/machines/:id%s answers to another's machine as to none", async (method, path, body) => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        const theirs = await createMachine(owner);
        const before = await owner.call('GET', `/v1/machines/${theirs}`);
        const answer = await stranger.call(method, `/v1/machines/${theirs}${path}`, body);
        const toNone = await stranger.call(method, `/v1/machines/${crypto.randomUUID()}${path}`, body);
        expect(told(answer)).toEqual({ status: 404, body: { error: 'Machine not found', code: 'NOT_FOUND' } });
        expect(told(toNone)).toEqual(told(answer));
        expect((await owner.call('GET', `/v1/machines/${theirs}`)).body).toEqual(before.body);
        expect([await seqOf(server, owner), await seqOf(server, stranger)]).toEqual([2, 0]);
    });

    it("lists nobody else's machines", async () => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        await createMachine(owner);
        expect((await stranger.call('GET', '/v1/machines')).body).toEqual({ machines: [] });
    });

    it('asks for a token first', async () => {
        const paths = ['GET /v1/machines', 'POST /v1/machines', 'GET /v1/machines/m', 'DELETE /v1/machines/m'];
        for (const [method, path] of paths.map((line) => line.split(' '))) {
            const response = await server.fetch(path ?? '', { method });
            expect(response.status).toBe(401);
            expect(await response.json()).toMatchObject({ error: 'Unauthorized' });
        }
    });
});
