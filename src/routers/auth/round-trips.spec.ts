import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '@/crypto/base64';
import type { TestAccount } from '@test/helpers/account';
import { createAccount, createLoginKeys, loginBody } from '@test/helpers/account';
import { createDevice, PAIRINGS } from '@test/helpers/pairing';
import { startServer } from '@test/helpers/server';

const server = startServer();

/** D1 calls that one request took. */
async function roundTripsOf(account: TestAccount, [method, path, body]: [string, string, unknown?]): Promise<number> {
    const { roundTrips } = server.db;
    expect((await account.call(method, path, body)).status).toBe(200);
    return server.db.roundTrips - roundTrips;
}

describe('D1 round trips of a request', () => {
    const answered = async (kind: 0 | 1) => {
        const device = createDevice(server, PAIRINGS[kind]);
        await device.poll();
        return { publicKey: device.publicKey, response: 'sealed' };
    };
    const open: [string, number, () => Promise<[string, string, unknown?]>][] = [
        ['login', 1, async () => ['POST', '/v1/auth', await loginBody(await createLoginKeys())]],
        ['challenge', 0, async () => ['POST', '/v1/auth/challenge', { publicKey: encodeBase64(new Uint8Array(32)) }]],
        ['terminal poll', 1, async () => ['POST', '/v1/auth/request', { publicKey: (await answered(0)).publicKey }]],
        [
            'account poll',
            1,
            async () => ['POST', '/v1/auth/account/request', { publicKey: (await answered(1)).publicKey }],
        ],
        [
            'status',
            1,
            async () => [
                'GET',
                `/v1/auth/request/status?publicKey=${encodeURIComponent((await answered(0)).publicKey)}`,
            ],
        ],
    ];
    it.each(open)('%s: %i, whoever asks', async (_, expected, request) => {
        const account = await createAccount(server);
        expect(await roundTripsOf(account, await request())).toBe(expected);
    });

    const ofAccount: [string, () => Promise<[string, string, unknown?]>][] = [
        ['terminal answer', async () => ['POST', '/v1/auth/response', await answered(0)]],
        ['account answer', async () => ['POST', '/v1/auth/account/response', await answered(1)]],
        ['refresh', async () => ['POST', '/v1/auth/refresh']],
        ['logout', async () => ['POST', '/v1/auth/logout']],
        ['logout-all', async () => ['POST', '/v1/auth/logout-all']],
    ];
    it.each(ofAccount)('%s: 2 with a new token, 1 with a verified one', async (_, request) => {
        const [cold, warm] = [await createAccount(server), await createAccount(server)];
        expect(await roundTripsOf(cold, await request())).toBe(2);
        await warm.call('GET', '/v1/sessions');
        expect(await roundTripsOf(warm, await request())).toBe(1);
    });
});
