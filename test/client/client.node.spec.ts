import { randomBytes, randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { HappyError, createHappyClient, decryptJson, encryptJson, unwrapDataKey, wrapDataKey } from '@/client';
import type { FollowOptions, HappyClient, HappyUpdate } from '@/client';
import { contentKeyPair } from '@/client/crypto';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

let server: WorkerdServer;
const secretOf = () => new Uint8Array(randomBytes(32));
const login = (secret = secretOf()) => createHappyClient({ url: server.url }).login(secret);

beforeAll(async () => {
    server = await startWorkerd({ REQUIRE_SERVER_CHALLENGE: 'true' });
});
afterAll(() => server?.stop());

/** Follows, and keeps what it is told. */
function watch(client: HappyClient, options: FollowOptions = {}) {
    const seen = {
        updates: [] as HappyUpdate[],
        states: [] as string[],
        resyncs: [] as number[],
        error: undefined as HappyError | undefined,
    };
    const following = client.follow({
        ...options,
        onUpdate: (update) => seen.updates.push(update),
        onResync: (seq) => seen.resyncs.push(seq),
        onState: (state) => seen.states.push(state),
        onError: (error) => (seen.error = error),
    });
    onTestFinished(() => following.close());
    const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 20_000, interval: 20 });
    return { ...seen, seen, following, until, open: () => until(() => seen.states.includes('open')) };
}

describe('logging in', () => {
    it('works where the server insists on its own challenges, and is the same account again', async () => {
        const secret = secretOf();
        const [first, second] = [await login(secret), await login(secret)];
        const { session } = await first.api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        expect((await second.api.sessions.get.query({ id: session.id })).session).toEqual(session);
        expect(first.token).not.toBe(second.token);
    });
});

describe('calls', () => {
    it('made at once travel in one request', async () => {
        const { token } = await login();
        const urls: string[] = [];
        const client = createHappyClient({
            url: server.url,
            token,
            fetch: (input, init) => {
                urls.push(String(input));
                return fetch(input, init);
            },
        });
        await Promise.all([
            client.api.sessions.list.query({}),
            client.api.machines.list.query({}),
            client.api.feed.list.query({}),
        ]);
        expect(urls).toHaveLength(1);
    });

    it('fail with typed codes', async () => {
        const client = await login();
        const failure = async (call: Promise<unknown>) => {
            const error = await call.then(
                () => undefined,
                (reason: unknown) => reason,
            );
            if (!(error instanceof HappyError)) throw new Error('No HappyError', { cause: error });
            return error;
        };
        const missing = await failure(client.api.sessions.get.query({ id: randomUUID() }));
        expect(missing).toMatchObject({ code: 'NOT_FOUND', status: 404, message: 'Session not found' });
        expect(missing.requestId).toEqual(expect.any(String));
        const bad = await failure(client.api.sessions.create.mutate({ tag: '', metadata: 'bQ==' }));
        expect(bad).toMatchObject({ code: 'VALIDATION_FAILED', issues: [{ path: 'tag' }] });
        const stranger = await failure(createHappyClient({ url: server.url, token: 'x' }).api.sessions.list.query({}));
        expect(stranger).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
        const nobody = await failure(createHappyClient({ url: 'http://127.0.0.1:9' }).api.sessions.list.query({}));
        expect(nobody).toMatchObject({ code: 'NETWORK', status: undefined });
    });
});

describe('pairing', () => {
    it('lets a terminal in, and what it encrypts the account can read', async () => {
        const secret = secretOf();
        const phone = await login(secret);
        const guest = createHappyClient({ url: server.url });
        const pairing = await guest.requestPairing();
        expect(pairing.link).toMatch(/^happy:\/\/terminal\?[\w-]{43}$/);
        const waiting = pairing.wait({ pollMs: 50 });
        await phone.approvePairing(pairing.link, secret);
        const { token, contentPublicKey } = await waiting;

        const dataKey = secretOf();
        const { session } = await guest.withToken(token).api.sessions.create.mutate({
            tag: randomUUID(),
            metadata: encryptJson({ path: '/work' }, dataKey),
            dataEncryptionKey: wrapDataKey(dataKey, contentPublicKey),
        });
        const read = await phone.api.sessions.get.query({ id: session.id });
        const key = unwrapDataKey(read.session.dataEncryptionKey ?? '', contentKeyPair(secret).secretKey);
        expect(decryptJson(read.session.metadata, key ?? new Uint8Array())).toEqual({ path: '/work' });
    });

    it('gives the account to a further device, and to no terminal by mistake', async () => {
        const secret = secretOf();
        const phone = await login(secret);
        const guest = createHappyClient({ url: server.url });
        const pairing = await guest.requestDevicePairing();
        expect(pairing.link).toMatch(/^happy:\/\/\/account\?[\w-]{43}$/);
        await expect(phone.approvePairing(pairing.link, secret)).rejects.toThrow('The link of a device');
        const terminal = await guest.requestPairing();
        await expect(phone.approveDevice(terminal.link, secret)).rejects.toThrow('Not the link of a device');
        await phone.approveDevice(pairing.link, secret);
        const { token, accountSecret } = await pairing.wait({ pollMs: 50 });
        expect(Buffer.from(accountSecret)).toEqual(Buffer.from(secret));
        const { id } = await guest.withToken(token).api.account.profile.query({});
        expect((await phone.api.account.profile.query({})).id).toBe(id);
    });

    it('stops waiting when told to', async () => {
        const pairing = await createHappyClient({ url: server.url }).requestPairing();
        await expect(pairing.wait({ pollMs: 20, signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/);
    });

    it('stops waiting when told to, though fetch does not listen', async () => {
        const deaf = vi.fn<typeof fetch>(() => new Promise(() => {})).mockImplementationOnce(fetch);
        const pairing = await createHappyClient({ url: server.url, fetch: deaf }).requestPairing();
        await expect(pairing.wait({ signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/);
    });

    it('leaves nothing behind on the signal, however long it waits', async () => {
        const { signal } = new AbortController();
        const adding = vi.spyOn(signal, 'addEventListener');
        const phone = await login();
        const pairing = await createHappyClient({ url: server.url }).requestPairing();
        const waiting = pairing.wait({ pollMs: 10, signal });
        await expect.poll(() => adding.mock.calls.length).toBeGreaterThan(20);
        await phone.approvePairing(pairing.link, secretOf());
        await waiting;
        expect(getEventListeners(signal, 'abort').length).toBeLessThan(5);
    });

    it('refuses a link that is none', async () => {
        const phone = await login();
        await expect(phone.approvePairing('happy://terminal?abc', secretOf())).rejects.toThrow('Not a pairing link');
    });
});

describe('following', () => {
    it('brings what happens, with the place to continue from', async () => {
        const client = await login();
        const watched = watch(client);
        await watched.open();
        const { session } = await client.api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        await watched.until(() => watched.updates.length === 1);
        expect(watched.updates[0]).toMatchObject({ seq: 1, body: { t: 'new-session', id: session.id } });
        expect(watched.following.lastEventId).toBe('1');

        watched.following.close();
        await client.api.sessions.create.mutate({ tag: 'two', metadata: 'bQ==' });
        const again = watch(client, { lastEventId: '1' });
        await again.until(() => again.updates.length === 1);
        expect(again.updates.map(({ seq }) => seq)).toEqual([2]);
    });

    it('outlives a deployment, without a gap or a repeat', async () => {
        const client = await login();
        const watched = watch(client);
        await watched.open();
        const { session } = await client.api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        await watched.until(() => watched.updates.length === 1);
        await server.restart();
        for (let i = 0; i < 3; i += 1) {
            await client.api.messages.create.mutate({ id: session.id, localId: randomUUID(), content: { i } });
        }
        await watched.until(() => watched.updates.length >= 4);
        expect(watched.updates.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
        expect(watched.resyncs).toEqual([]);
        expect(watched.states).toContain('connecting');
    });

    it("ends with a typed error when its token does, and for what is not the account's", async () => {
        const client = await login();
        const watched = watch(client);
        await watched.open();
        await client.api.auth.logout.mutate({});
        await watched.until(() => watched.seen.error);
        expect(watched.seen.error).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });

        const foreign = watch(await login(), { scope: 'session', id: randomUUID() });
        await foreign.until(() => foreign.seen.error);
        expect(foreign.seen.error).toMatchObject({ code: 'NOT_FOUND', message: 'Session not found' });
    });
});
