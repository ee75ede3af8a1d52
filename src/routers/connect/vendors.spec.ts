import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();

describe('vendor tokens', () => {
    it.each(['openai', 'anthropic', 'gemini'])('of %s are kept, replaced and forgotten', async (vendor) => {
        const account = await createAccount(server);
        expect(await account.call('GET', `/v1/connect/${vendor}/token`)).toMatchObject({
            status: 200,
            body: { token: null },
        });
        for (const token of ['sk-first', '{"access_token":"ключ 🔐"}']) {
            const answer = await account.call('POST', `/v1/connect/${vendor}/register`, { token });
            expect(answer).toMatchObject({ status: 200, body: { success: true } });
            expect((await account.call('GET', `/v1/connect/${vendor}/token`)).body).toEqual({ token });
        }
        expect((await account.call('GET', '/v1/connect/tokens')).body.tokens).toHaveLength(1);
        for (const _ of ['there', 'gone']) {
            const answer = await account.call('DELETE', `/v1/connect/${vendor}`);
            expect(answer).toMatchObject({ status: 200, body: { success: true } });
            expect((await account.call('GET', `/v1/connect/${vendor}/token`)).body).toEqual({ token: null });
        }
    });

    it('are listed by vendor, in clear, and named in the profile', async () => {
        const account = await createAccount(server);
        for (const vendor of ['openai', 'gemini', 'anthropic']) {
            await account.call('POST', `/v1/connect/${vendor}/register`, { token: `token of ${vendor}` });
        }
        expect((await account.call('GET', '/v1/connect/tokens')).body).toEqual({
            tokens: ['anthropic', 'gemini', 'openai'].map((vendor) => ({ vendor, token: `token of ${vendor}` })),
        });
        const { body } = await account.call('GET', '/v1/account/profile');
        expect(body.connectedServices).toEqual(['anthropic', 'gemini', 'openai']);
    });

    it('are one row when registered 20 times at once', async () => {
        const account = await createAccount(server);
        const tokens = Array.from({ length: 20 }, (_, i) => `token ${i}`);
        await Promise.all(tokens.map((token) => account.call('POST', '/v1/connect/openai/register', { token })));
        const { body } = await account.call('GET', '/v1/connect/tokens');
        expect(body.tokens).toHaveLength(1);
        expect(tokens).toContain(body.tokens[0].token);
    });

    it('go through the tRPC door as well', async () => {
        const { token } = await createAccount(server);
        const { connect } = createClient(server, token);
        await connect.register.mutate({ vendor: 'anthropic', token: 'sk-ant' });
        expect(await connect.token.query({ vendor: 'anthropic' })).toEqual({ token: 'sk-ant' });
        expect(await connect.tokens.query({})).toEqual({ tokens: [{ vendor: 'anthropic', token: 'sk-ant' }] });
        expect(await connect.disconnect.mutate({ vendor: 'anthropic' })).toEqual({ success: true });
    });

    it('take one round trip each', async () => {
        const account = await createAccount(server);
        await account.call('GET', '/v1/connect/tokens'); // the token is known now
        const calls: [string, string, unknown?][] = [
            ['POST', '/v1/connect/openai/register', { token: 'sk' }],
            ['GET', '/v1/connect/openai/token'],
            ['GET', '/v1/connect/tokens'],
            ['DELETE', '/v1/connect/openai'],
            ['DELETE', '/v1/connect/github'],
        ];
        for (const [method, path, body] of calls) {
            expect(await roundTripsOf(server, () => account.call(method, path, body))).toBe(1);
        }
    });

    it('P8 are nobody else’s: not read, not listed, not replaced, not deleted', async () => {
        const [owner, stranger] = [await createAccount(server), await createAccount(server)];
        await owner.call('POST', '/v1/connect/openai/register', { token: 'of the owner' });
        expect((await stranger.call('GET', '/v1/connect/openai/token')).body).toEqual({ token: null });
        expect((await stranger.call('GET', '/v1/connect/tokens')).body).toEqual({ tokens: [] });
        await stranger.call('DELETE', '/v1/connect/openai');
        await stranger.call('POST', '/v1/connect/openai/register', { token: 'of the stranger' });
        expect((await owner.call('GET', '/v1/connect/openai/token')).body).toEqual({ token: 'of the owner' });
    });
});

describe('bad input of vendor tokens', () => {
    it('takes 16 KiB and no byte more', async () => {
        const account = await createAccount(server);
        const longest = 'é'.repeat(8 * 1024);
        expect((await account.call('POST', '/v1/connect/openai/register', { token: longest })).status).toBe(200);
        expect((await account.call('GET', '/v1/connect/openai/token')).body).toEqual({ token: longest });
        const answer = await account.call('POST', '/v1/connect/openai/register', { token: `${longest}x` });
        expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', issues: [{ path: 'token' }] } });
    });

    it.each([
        {},
        { token: '' },
        { token: null },
        { token: 5 },
        { token: ['a'] },
        { token: 'a\0b' },
        { token: '\ud800' },
    ])('refuses %j', async (body) => {
        const account = await createAccount(server);
        expect((await account.call('POST', '/v1/connect/openai/register', body)).status).toBe(400);
        expect((await account.call('GET', '/v1/connect/tokens')).body).toEqual({ tokens: [] });
    });

    it.each(['google', 'OpenAI', 'github', '..', '__proto__'])('does not know the vendor %s', async (vendor) => {
        const account = await createAccount(server);
        const path = `/v1/connect/${encodeURIComponent(vendor)}`;
        expect((await account.call('POST', `${path}/register`, { token: 'x' })).status).toBe(
            vendor === '..' ? 404 : 400,
        );
        expect((await account.call('GET', `${path}/token`)).status).toBe(vendor === '..' ? 404 : 400);
    });

    it.each([
        ['POST', '/v1/connect/openai/register'],
        ['GET', '/v1/connect/openai/token'],
        ['DELETE', '/v1/connect/openai'],
        ['GET', '/v1/connect/tokens'],
        ['GET', '/v1/connect/github/params'],
        ['DELETE', '/v1/connect/github'],
    ])('%s %s needs a token', async (method, path) => {
        expect((await server.fetch(path, { method })).status).toBe(401);
    });
});
