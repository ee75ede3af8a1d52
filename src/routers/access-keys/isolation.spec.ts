import { describe, expect, it } from 'vitest';
import { createAccount, createMachine, createSession } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';

const server = startServer();

describe('P8 isolation of access keys', () => {
    it.each([
        ['GET', undefined],
        ['POST', { data: 'mine' }],
        ['PUT', { data: 'mine', expectedVersion: 1 }],
        ['PUT', { data: 'mine', expectedVersion: 9 }],
    ])("%s answers to another's session or machine as to none", async (method, body) => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        const [session, machine] = [await createSession(owner), await createMachine(owner)];
        const path = `/v1/access-keys/${session}/${machine}`;
        await owner.call('POST', path, { data: 'theirs' });
        const before = await owner.call('GET', path);
        const [ownSession, ownMachine] = [await createSession(stranger), await createMachine(stranger)];

        const pairs = [
            `${session}/${machine}`,
            `${ownSession}/${machine}`,
            `${session}/${ownMachine}`,
            `${ownSession}/none`,
            `none/${ownMachine}`,
            'none/none',
        ];
        for (const ids of pairs) {
            const answer = await stranger.call(method, `/v1/access-keys/${ids}`, body);
            expect(told(answer)).toEqual({
                status: 404,
                body: { error: 'Session or machine not found', code: 'NOT_FOUND' },
            });
        }
        expect((await owner.call('GET', path)).body).toEqual(before.body);
    });

    it('two accounts with the same machine id have keys of their own', async () => {
        const [one, other] = [await createAccount(server), await createAccount(server)];
        const sessions = [await createSession(one), await createSession(other)];
        await createMachine(one, 'same');
        await createMachine(other, 'same');
        await one.call('POST', `/v1/access-keys/${sessions[0]}/same`, { data: 'one' });
        const answer = await other.call('GET', `/v1/access-keys/${sessions[1]}/same`);
        expect(answer.body).toEqual({ accessKey: null });
    });
});
