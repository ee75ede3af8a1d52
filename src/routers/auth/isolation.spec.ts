import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '@/crypto/base64';
import type { TestAccount } from '@test/helpers/account';
import { accountOf, call, createAccount, loginBody, payloadOf } from '@test/helpers/account';
import { createDevice, PAIRINGS } from '@test/helpers/pairing';
import { startServer } from '@test/helpers/server';

const server = startServer();
const probe = async (account: TestAccount) => (await account.call('GET', '/v1/sessions')).status;

describe('P8: an account', () => {
    it.each(['/v1/auth/logout', '/v1/auth/logout-all'])("cannot end another's tokens by %s", async (path) => {
        const [mine, theirs] = [await createAccount(server), await createAccount(server)];
        expect(await probe(theirs)).toBe(200);
        const body = { accountId: theirs.id, jti: payloadOf(theirs.token).jti, token: theirs.token, sub: theirs.id };
        expect((await mine.call('POST', path, body)).status).toBe(200);
        expect([
            await probe(mine),
            await probe(theirs),
            await probe(accountOf(startServer(), theirs.token, theirs.keys)),
        ]).toEqual([401, 200, 200]);
    });

    it("cannot get another's token by refresh", async () => {
        const [mine, theirs] = [await createAccount(server), await createAccount(server)];
        const extras = { accountId: theirs.id, sub: theirs.id, session: 'made-up', token: theirs.token };
        const { body } = await mine.call('POST', '/v1/auth/refresh', extras);
        expect(payloadOf(body.token)).toMatchObject({ sub: mine.id });
        expect(payloadOf(body.token)).not.toHaveProperty('session');
    });

    it("cannot log in with another's public key", async () => {
        const [mine, theirs] = [await createAccount(server), await createAccount(server)];
        const body = { ...(await loginBody(mine.keys)), publicKey: encodeBase64(theirs.keys.publicKey) };
        expect((await call(server, 'POST', '/v1/auth', body)).status).toBe(401);
    });

    it("cannot carry its token's signature over to another's claims", async () => {
        const [mine, theirs] = [await createAccount(server), await createAccount(server)];
        const [header, , signature] = mine.token.split('.');
        const token = [header, theirs.token.split('.')[1], signature].join('.');
        expect(await probe(accountOf(server, token, mine.keys))).toBe(401);
    });

    it.each(PAIRINGS)(
        'cannot let a $kind into another account, nor see or change the answer of another',
        async (pairing) => {
            const [mine, theirs] = [await createAccount(server), await createAccount(server)];
            const device = createDevice(server, pairing);
            await device.poll();
            const { publicKey } = device;
            const names = { accountId: theirs.id, responseAccountId: theirs.id };
            await mine.call('POST', pairing.response, { publicKey, response: 'mine', ...names });
            // Told nothing of the answer that was there, whether its own or not.
            const [own, other] = [await device.answer(mine, 'again'), await device.answer(theirs, 'theirs')];
            expect([own.status, own.body]).toEqual([other.status, other.body]);
            const { body } = await device.poll();
            expect(body.response).toBe('mine');
            expect(payloadOf(body.token).sub).toBe(mine.id);
        },
    );

    it.each(PAIRINGS)('gets no $kind token without the key that asked', async (pairing) => {
        const account = await createAccount(server);
        const [asked, other] = [createDevice(server, pairing), createDevice(server, pairing)];
        for (const device of [asked, other]) await device.poll();
        await asked.answer(account);
        expect((await other.poll()).body).toEqual({ state: 'requested' });
    });
});
