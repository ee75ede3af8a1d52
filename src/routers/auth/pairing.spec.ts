import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { decodeBase64, encodeBase64 } from '@/crypto/base64';
import { encodeHexUpper } from '@/crypto/hex';
import clients from '@test/fixtures/vectors/clients.json';
import { accountOf, call, createAccount, createLoginKeys, payloadOf } from '@test/helpers/account';
import { createDevice, PAIRINGS } from '@test/helpers/pairing';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer();
const [terminal, device] = PAIRINGS;
const bytes = (length: number) => encodeBase64(new Uint8Array(length).fill(7));

async function storedRequest(table: string, publicKey: string) {
    const hex = encodeHexUpper(decodeBase64(publicKey) ?? new Uint8Array());
    const row = await env.DB.prepare(`SELECT id FROM ${table} WHERE publicKey = ?`).bind(hex).first<{ id: string }>();
    return row?.id;
}

describe.each(PAIRINGS)('$kind pairing', (pairing) => {
    it('goes from requested to authorized, with a token of the account that answered', async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        for (let i = 0; i < 3; i++) {
            expect(await asking.poll()).toMatchObject({ status: 200, body: { state: 'requested' } });
        }
        expect(await asking.answer(account, 'sealed')).toMatchObject({ status: 200, body: { success: true } });

        const { status, body } = await asking.poll();
        expect(status).toBe(200);
        expect(body).toEqual({ state: 'authorized', token: expect.any(String), response: 'sealed' });
        expect(payloadOf(body.token).sub).toBe(account.id);
        const paired = accountOf(server, body.token, account.keys);
        expect((await paired.call('GET', '/v1/sessions')).status).toBe(200);
    });

    it("has the request's id as the terminal token's session, and no extras for a device", async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll();
        const id = await storedRequest(pairing.table, asking.publicKey);
        expect(id).toMatch(/^c[0-9a-z]{24}$/);
        await asking.answer(account);
        const payload = payloadOf((await asking.poll()).body.token);
        const extras = pairing.kind === 'terminal' ? ['session'] : [];
        expect(Object.keys(payload)).toEqual(['sub', ...extras, 'iat', 'nbf', 'iss', 'jti']);
        expect(payload.session).toBe(pairing.kind === 'terminal' ? id : undefined);
    });

    it('writes nothing while a poll finds nothing new', async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll();
        const { rowsWritten } = server.db;
        await asking.poll();
        await asking.poll();
        expect(server.db.rowsWritten).toBe(rowsWritten);

        await asking.answer(account);
        await asking.poll();
        const handedOut = server.db.rowsWritten;
        expect(handedOut).toBeGreaterThan(rowsWritten);
        expect((await asking.poll()).body.state).toBe('authorized');
        expect(server.db.rowsWritten).toBe(handedOut);
    });

    it('makes one request under 20 parallel first polls', async () => {
        const asking = createDevice(server, pairing);
        const answers = await Promise.all(Array.from({ length: 20 }, () => asking.poll()));
        for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { state: 'requested' } });
        const hex = encodeHexUpper(decodeBase64(asking.publicKey) ?? new Uint8Array());
        const count = env.DB.prepare(`SELECT count(*) AS n FROM ${pairing.table} WHERE publicKey = ?`).bind(hex);
        expect(await count.first('n')).toBe(1);
    });

    it('takes the first answer, of 20 parallel ones by two accounts', async () => {
        const accounts = [await createAccount(server), await createAccount(server)] as const;
        const asking = createDevice(server, pairing);
        await asking.poll();
        const answers = await Promise.all(
            Array.from({ length: 10 }, (_, i) =>
                accounts.map((account) => asking.answer(account, `${account.id} ${i}`)),
            ).flat(),
        );
        for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { success: true } });

        const { body } = await asking.poll();
        expect(accounts.map(({ id }) => id)).toContain(payloadOf(body.token).sub);
        expect(body.response.split(' ')[0]).toBe(payloadOf(body.token).sub);
        const later = await asking.answer(accounts[0], 'later');
        expect(later).toMatchObject({ status: 200, body: { success: true } });
        expect((await asking.poll()).body.response).toBe(body.response);
    });

    it('404 for an answer that nobody asked for', async () => {
        const answer = await createDevice(server, pairing).answer(await createAccount(server));
        expect(answer).toMatchObject({ status: 404, body: { error: 'Request not found', code: 'NOT_FOUND' } });
    });

    it('keeps terminals and devices apart', async () => {
        const account = await createAccount(server);
        const other = pairing === terminal ? device : terminal;
        const asking = createDevice(server, pairing);
        await asking.poll();
        const { publicKey } = asking;
        const answer = await account.call('POST', other.response, { publicKey, response: 'sealed' });
        expect(answer.status).toBe(404);
        expect((await asking.poll()).body).toEqual({ state: 'requested' });
    });

    it.each([0, 31, 33, 64, 1025, 1_000_000])('401 for a key of %i bytes', async (length) => {
        const account = await createAccount(server);
        const invalid = { status: 401, body: { error: 'Invalid public key', code: 'UNAUTHORIZED' } };
        const publicKey = bytes(length);
        expect(await call(server, 'POST', pairing.request, { publicKey })).toMatchObject(invalid);
        expect(await account.call('POST', pairing.response, { publicKey, response: 'sealed' })).toMatchObject(invalid);
    });

    it.each(['no base64', bytes(32).replace('=', ''), bytes(33).replaceAll('B', '-'), 7, undefined])(
        '400 for the key %j',
        async (publicKey) => {
            const account = await createAccount(server);
            const invalid = { status: 400, body: { code: 'VALIDATION_FAILED' } };
            expect(await call(server, 'POST', pairing.request, { publicKey })).toMatchObject(invalid);
            expect(await account.call('POST', pairing.response, { publicKey, response: 'sealed' })).toMatchObject(
                invalid,
            );
        },
    );

    it('takes an answer of 8 KiB and no more', async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll();
        for (const tooLong of ['x'.repeat(8193), 'ü'.repeat(4097), '', undefined]) {
            const { publicKey } = asking;
            const answer = await account.call('POST', pairing.response, { publicKey, response: tooLong });
            expect(answer.status).toBe(400);
            expect(answer.body.issues[0].path).toBe('response');
        }
        expect((await asking.poll()).body).toEqual({ state: 'requested' });
        const longest = 'ü'.repeat(4096);
        expect((await asking.answer(account, longest)).status).toBe(200);
        expect((await asking.poll()).body.response).toBe(longest);
    });

    it('needs a token to answer, none to ask', async () => {
        const asking = createDevice(server, pairing);
        await asking.poll();
        const { publicKey } = asking;
        const answer = await call(server, 'POST', pairing.response, { publicKey, response: 'sealed' });
        expect(answer).toMatchObject({ status: 401, body: { error: 'Unauthorized' } });
    });

    it("P9: hands the token out again when the database's answer was lost", async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll();
        await asking.answer(account);
        const log = vi.spyOn(console, 'error').mockImplementation(() => {});
        server.db.failNext('after');
        expect((await asking.poll()).status).toBe(503);
        log.mockRestore();
        expect((await asking.poll()).body.state).toBe('authorized');
    });
});

describe('GET /v1/auth/request/status', () => {
    it('goes from not_found over pending to authorized, and never writes', async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, terminal);
        const status = async () => {
            const { rowsWritten } = server.db;
            const answer = await asking.status();
            expect(answer.status).toBe(200);
            expect(server.db.rowsWritten).toBe(rowsWritten);
            return answer.body;
        };
        expect(await status()).toEqual({ status: 'not_found', supportsV2: false });
        await asking.poll();
        expect(await status()).toEqual({ status: 'pending', supportsV2: false });
        await asking.answer(account);
        expect(await status()).toEqual({ status: 'authorized', supportsV2: false });
        await asking.poll();
        expect(await status()).toEqual({ status: 'authorized', supportsV2: false });
    });

    it.each([
        [{ supportsV2: true }, true],
        [{ supportsV2: false }, false],
        [{ supportsV2: null }, false],
    ])('keeps what the first request said: %j', async (extra, supportsV2) => {
        const asking = createDevice(server, terminal);
        await asking.poll(extra);
        await asking.poll({ supportsV2: !supportsV2 });
        await asking.poll();
        expect((await asking.status()).body).toEqual({ status: 'pending', supportsV2 });
    });

    it.each([0, 31, 33, 64, 1025, 10_000])('not_found for a key of %i bytes', async (length) => {
        const path = `/v1/auth/request/status?publicKey=${encodeURIComponent(bytes(length))}`;
        const answer = await call(server, 'GET', path);
        expect(answer).toMatchObject({ status: 200, body: { status: 'not_found', supportsV2: false } });
    });

    it.each(['', '?publicKey=no%20base64', '?publicKey=AA&publicKey=AA'])('400 for the query "%s"', async (query) => {
        const answer = await call(server, 'GET', `/v1/auth/request/status${query}`);
        expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    });

    it("says nothing of a device's request", async () => {
        const asking = createDevice(server, device);
        await asking.poll();
        expect((await asking.status()).body.status).toBe('not_found');
    });
});

describe('the keys of real clients', () => {
    it.each(clients.groups.terminalKeys.cases)('vector terminalKeys $publicKeyBase64', async (vector) => {
        const publicKey = vector.publicKeyBase64;
        const { body } = await call(server, 'POST', terminal.request, { publicKey, supportsV2: true });
        expect(body).toEqual({ state: 'requested' });
        const stored = env.DB.prepare('SELECT supportsV2 FROM TerminalAuthRequest WHERE publicKey = ?');
        expect(await stored.bind(vector.publicKeyHex.toUpperCase()).first('supportsV2')).toBe(1);
    });
});

describe('the tRPC door', () => {
    it('pairs a terminal', async () => {
        const account = await createAccount(server);
        const guest = createClient(server);
        const phone = createClient(server, account.token);
        const publicKey = encodeBase64((await createLoginKeys()).publicKey);
        expect(await guest.auth.requestTerminal.mutate({ publicKey, supportsV2: true })).toEqual({
            state: 'requested',
        });
        const pending = { status: 'pending', supportsV2: true };
        expect(await guest.auth.terminalStatus.query({ publicKey })).toEqual(pending);
        await phone.auth.respondTerminal.mutate({ publicKey, response: 'sealed' });
        const answer = await guest.auth.requestTerminal.mutate({ publicKey });
        if (answer.state !== 'authorized') throw new Error('expected the terminal to be let in');
        expect(payloadOf(answer.token).sub).toBe(account.id);
    });
});
