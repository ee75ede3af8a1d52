import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();
const TOKEN = 'ExponentPushToken[AbC-123_/+%25 😀]';

describe('push tokens', () => {
    const clock = holdClock();

    it('are registered once, and again only to say that they are in use', async () => {
        const account = await createAccount(server);
        const createdAt = Date.now();
        expect(await account.call('POST', '/v1/push-tokens', { token: TOKEN })).toMatchObject({
            status: 200,
            body: { success: true },
        });
        const { body: first } = await account.call('GET', '/v1/push-tokens');
        expect(first).toEqual({ tokens: [{ id: expect.any(String), token: TOKEN, createdAt, updatedAt: createdAt }] });
        clock.advance(1000);
        await account.call('POST', '/v1/push-tokens', { token: TOKEN });
        const { body } = await account.call('GET', '/v1/push-tokens');
        expect(body).toEqual({ tokens: [{ ...first.tokens[0], updatedAt: createdAt + 1000 }] });
    });

    it('are one when registered 20 times at once', async () => {
        const account = await createAccount(server);
        const answers = await Promise.all(
            Array.from({ length: 20 }, () => account.call('POST', '/v1/push-tokens', { token: TOKEN })),
        );
        expect(answers.every(({ status }) => status === 200)).toBe(true);
        expect((await account.call('GET', '/v1/push-tokens')).body.tokens).toHaveLength(1);
    });

    it('are listed by their last registration, at most 100', async () => {
        const account = await createAccount(server);
        await server.env.DB.prepare(
            `INSERT INTO AccountPushToken (id, accountId, token, createdAt, updatedAt)
             SELECT ?1 || value, ?1, 't' || value, 1, value FROM json_each(?2)`,
        )
            .bind(account.id, JSON.stringify(Array.from({ length: 101 }, (_, i) => i)))
            .run();
        const { body } = await account.call('GET', '/v1/push-tokens');
        const expected = Array.from({ length: 100 }, (_, i) => `t${100 - i}`);
        expect(body.tokens.map(({ token }: { token: string }) => token)).toEqual(expected);
    });

    it('are deleted by the token as the path spells it', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/push-tokens', { token: TOKEN });
        await account.call('POST', '/v1/push-tokens', { token: 'kept' });
        const answer = await account.call('DELETE', `/v1/push-tokens/${encodeURIComponent(TOKEN)}`);
        expect(answer).toMatchObject({ status: 200, body: { success: true } });
        const { body } = await account.call('GET', '/v1/push-tokens');
        expect(body.tokens.map(({ token }: { token: string }) => token)).toEqual(['kept']);
    });

    it('can be deleted when there is none', async () => {
        const account = await createAccount(server);
        const answer = await account.call('DELETE', '/v1/push-tokens/unknown');
        expect(answer).toMatchObject({ status: 200, body: { success: true } });
    });

    it('take no number of the account', async () => {
        const account = await createAccount(server);
        await account.call('POST', '/v1/push-tokens', { token: TOKEN });
        await account.call('DELETE', `/v1/push-tokens/${encodeURIComponent(TOKEN)}`);
        expect(await seqOf(server, account)).toBe(0);
    });

    it("P8 isolation: another's token is deleted, registered and listed as if it did not exist", async () => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        await owner.call('POST', '/v1/push-tokens', { token: 'theirs' });
        const before = await owner.call('GET', '/v1/push-tokens');
        expect((await stranger.call('GET', '/v1/push-tokens')).body).toEqual({ tokens: [] });
        const answers = [
            await stranger.call('DELETE', '/v1/push-tokens/theirs'),
            await stranger.call('DELETE', '/v1/push-tokens/none'),
            await stranger.call('POST', '/v1/push-tokens', { token: 'theirs' }),
            await stranger.call('DELETE', '/v1/push-tokens/theirs'),
        ];
        expect(answers.map(told)).toEqual(Array(4).fill({ status: 200, body: { success: true } }));
        expect((await owner.call('GET', '/v1/push-tokens')).body).toEqual(before.body);
    });

    it.each([
        ['no token', {}],
        ['null', { token: null }],
        ['an empty one', { token: '' }],
        ['a number', { token: 7 }],
        ['513 bytes', { token: 't'.repeat(513) }],
        ['more than 512 bytes in fewer characters', { token: 'é'.repeat(257) }],
        ['NUL', { token: 'a\0b' }],
    ])('POST refuses %s', async (_, body) => {
        const account = await createAccount(server);
        expect(await account.call('POST', '/v1/push-tokens', body)).toMatchObject({
            status: 400,
            body: { code: 'VALIDATION_FAILED' },
        });
    });

    it('POST takes 512 bytes', async () => {
        const account = await createAccount(server);
        expect((await account.call('POST', '/v1/push-tokens', { token: 't'.repeat(512) })).status).toBe(200);
    });

    it.each(['%00', 't'.repeat(513)])('DELETE refuses the path %s', async (token) => {
        const account = await createAccount(server);
        expect((await account.call('DELETE', `/v1/push-tokens/${token}`)).status).toBe(400);
    });
});
