import { env } from 'cloudflare:workers';
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '@/crypto/base64';
import { encodeHexUpper } from '@/crypto/hex';
import worker from '@/index';
import { HANDOUT_TTL_MS, REQUEST_TTL_MS } from '@/routers/auth/pairing';
import type { TestAccount } from '@test/helpers/account';
import { accountOf, call, createAccount, loginBody, payloadOf } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import type { PairingDevice } from '@test/helpers/pairing';
import { createDevice, PAIRINGS } from '@test/helpers/pairing';
import { startServer } from '@test/helpers/server';

const server = startServer();
const clock = holdClock();

/** A device whose answer has been handed out once, just now. */
async function letIn(pairing: (typeof PAIRINGS)[number], account: TestAccount): Promise<PairingDevice> {
    const asking = createDevice(server, pairing);
    await asking.poll();
    await asking.answer(account);
    expect((await asking.poll()).body.state).toBe('authorized');
    return asking;
}

async function logInAgain({ keys }: TestAccount): Promise<TestAccount> {
    const { body } = await call(server, 'POST', '/v1/auth', await loginBody(keys));
    return accountOf(server, body.token, keys);
}

it('requests live 15 minutes, hand-outs 2', () => {
    expect([REQUEST_TTL_MS, HANDOUT_TTL_MS]).toEqual([15 * 60_000, 2 * 60_000]);
});

describe.each(PAIRINGS)('$kind pairing', (pairing) => {
    const isTerminal = pairing.kind === 'terminal';

    it('expires 15 minutes after the request was made, polled or not', async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll();
        clock.advance(REQUEST_TTL_MS - 1);
        await asking.poll();
        if (isTerminal) expect((await asking.status()).body.status).toBe('pending');
        clock.advance(1);
        if (isTerminal) expect((await asking.status()).body.status).toBe('not_found');
        expect(await asking.answer(account)).toMatchObject({ status: 404, body: { error: 'Request not found' } });
    });

    it('starts anew when the same key asks after that, for another 15 minutes', async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll({ supportsV2: false });
        clock.advance(REQUEST_TTL_MS);
        expect((await asking.poll({ supportsV2: true })).body).toEqual({ state: 'requested' });
        if (isTerminal) expect((await asking.status()).body).toEqual({ status: 'pending', supportsV2: true });
        clock.advance(REQUEST_TTL_MS - 1);
        expect((await asking.answer(account)).status).toBe(200);
        expect((await asking.poll()).body.state).toBe('authorized');
    });

    it('expires answered but never fetched', async () => {
        const asking = createDevice(server, pairing);
        await asking.poll();
        await asking.answer(await createAccount(server));
        clock.advance(REQUEST_TTL_MS);
        expect((await asking.poll()).body).toEqual({ state: 'requested' });
    });

    it('hands the token out for 2 minutes from the first hand-out, then the request is gone', async () => {
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll();
        await asking.answer(account);
        clock.advance(REQUEST_TTL_MS - 1);
        for (const ms of [0, HANDOUT_TTL_MS / 2, HANDOUT_TTL_MS / 2 - 1]) {
            clock.advance(ms);
            const { body } = await asking.poll();
            expect(payloadOf(body.token).sub).toBe(account.id);
            if (isTerminal) expect((await asking.status()).body.status).toBe('authorized');
        }
        clock.advance(1);
        if (isTerminal) expect((await asking.status()).body.status).toBe('not_found');
        expect((await asking.answer(account)).status).toBe(404);
    });

    it('gives nothing to whoever photographs the code later: the same key starts a new request', async () => {
        const account = await createAccount(server);
        const asking = await letIn(pairing, account);
        const before = await requestIds(pairing.table, asking);
        clock.advance(HANDOUT_TTL_MS);
        expect((await asking.poll()).body).toEqual({ state: 'requested' });
        const after = await requestIds(pairing.table, asking);
        expect(after).toHaveLength(1);
        expect(after).not.toEqual(before);

        await asking.answer(account, 'once more');
        expect((await asking.poll()).body).toMatchObject({ state: 'authorized', response: 'once more' });
    });

    it('leaves the token valid that was handed out', async () => {
        const account = await createAccount(server);
        const asking = await letIn(pairing, account);
        const paired = accountOf(server, (await asking.poll()).body.token, account.keys);
        clock.advance(HANDOUT_TTL_MS + REQUEST_TTL_MS);
        expect((await paired.call('GET', '/v1/sessions')).status).toBe(200);
    });

    it('a logout-all takes back an answer, fetched or not: no token comes after it', async () => {
        const account = await createAccount(server);
        const fetched = await letIn(pairing, account);
        const waiting = createDevice(server, pairing);
        await waiting.poll();
        await waiting.answer(account);
        expect((await account.call('POST', '/v1/auth/logout-all')).status).toBe(200);
        if (isTerminal) expect((await waiting.status()).body.status).toBe('not_found');
        for (const asking of [fetched, waiting]) expect((await asking.poll()).body).toEqual({ state: 'requested' });
    });

    it('an answer right after a logout-all holds, within the same second too', async () => {
        clock.setMillisecond(100);
        const account = await createAccount(server);
        const asking = createDevice(server, pairing);
        await asking.poll();
        await account.call('POST', '/v1/auth/logout-all');
        const again = await logInAgain(account);
        expect((await asking.answer(again)).status).toBe(200);
        const { body } = await asking.poll();
        const paired = accountOf(server, body.token, account.keys);
        expect((await paired.call('GET', '/v1/sessions')).status).toBe(200);
    });

    it("another account's logout-all changes nothing", async () => {
        const asking = await letIn(pairing, await createAccount(server));
        await (await createAccount(server)).call('POST', '/v1/auth/logout-all');
        expect((await asking.poll()).body.state).toBe('authorized');
    });

    it('starts anew when the account that answered is no more', async () => {
        const account = await createAccount(server);
        const asking = await letIn(pairing, account);
        await env.DB.prepare('DELETE FROM Account WHERE id = ?').bind(account.id).run();
        if (isTerminal) expect((await asking.status()).body.status).toBe('not_found');
        expect((await asking.poll()).body).toEqual({ state: 'requested' });
        expect((await asking.answer(await createAccount(server))).status).toBe(200);
    });

    it('is swept at night only once it has run out', async () => {
        const account = await createAccount(server);
        const expired = createDevice(server, pairing);
        const late = createDevice(server, pairing);
        const pending = createDevice(server, pairing);
        await expired.poll();
        clock.advance(5 * 60_000);
        await late.poll();
        await late.answer(account);
        clock.advance(REQUEST_TTL_MS - 1);
        expect((await late.poll()).body.state).toBe('authorized');
        await pending.poll();
        clock.advance(HANDOUT_TTL_MS - 1);

        await sweep();
        expect(await requestIds(pairing.table, expired)).toEqual([]);
        expect((await late.poll()).body.state).toBe('authorized');
        expect(await requestIds(pairing.table, pending)).toHaveLength(1);

        clock.advance(REQUEST_TTL_MS + HANDOUT_TTL_MS);
        await sweep();
        for (const asking of [late, pending]) expect(await requestIds(pairing.table, asking)).toEqual([]);
    });
});

describe('the nightly sweep', () => {
    it('leaves spent challenges and ended tokens: they are for good', async () => {
        const account = await createAccount(server);
        const body = await loginBody(account.keys);
        await call(server, 'POST', '/v1/auth', body);
        await account.call('POST', '/v1/auth/logout');
        clock.advance(365 * 86_400_000);
        await sweep();
        expect((await call(server, 'POST', '/v1/auth', body)).status).toBe(401);
        expect((await account.call('GET', '/v1/sessions')).status).toBe(401);
    });
});

async function requestIds(table: string, { publicKey }: PairingDevice): Promise<string[]> {
    const hex = encodeHexUpper(decodeBase64(publicKey) ?? new Uint8Array());
    const { results } = await env.DB.prepare(`SELECT id FROM ${table} WHERE publicKey = ?`)
        .bind(hex)
        .all<{ id: string }>();
    return results.map(({ id }) => id);
}

/** Runs the Worker's cron trigger, as wrangler.toml schedules it. */
async function sweep(): Promise<void> {
    const ctx = createExecutionContext();
    const controller = createScheduledController({ scheduledTime: new Date(), cron: '17 3 * * *' });
    await worker.scheduled(controller, server.env);
    await waitOnExecutionContext(ctx);
}
