import { describe, expect, it } from 'vitest';
import { call, createAccount, createMachine, createSession } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { bearer, connect, openSocket } from '@test/helpers/socket';

const server = startServer();
const clock = holdClock();

/** A server whose Durable Objects must not be touched. */
const untouchable = startServer({
    ACCOUNT_HUB: { getByName: () => fail() },
    SOCKET_GATEWAY: { getByName: () => fail() },
});

function fail(): never {
    throw new Error('A Durable Object was touched');
}

async function ticketOf(account: { token: string }): Promise<string> {
    const { body } = await call(server, 'POST', '/v1/websocket/ticket', undefined, bearer(account));
    return body.ticket;
}

async function closeOf(options: Parameters<typeof openSocket>[1], on = server) {
    const socket = await openSocket(on, { greet: false, ...options });
    const { code } = await socket.untilClosed();
    return { code, frames: socket.frames.map(({ event }) => event) };
}

describe('the upgrade', () => {
    it.each(['/v1/updates', '/v1/updates/', '/v1/websocket', '/v1/websocket/'])('is served at %s', async (path) => {
        const account = await createAccount(server);
        const socket = await openSocket(server, { path, headers: bearer(account) });
        expect(socket.frames).toHaveLength(1);
    });

    it('answers 426 to what is no upgrade', async () => {
        const { status, body, headers } = await call(server, 'GET', '/v1/updates');
        expect({ status, body, upgrade: headers.get('Upgrade') }).toEqual({
            status: 426,
            body: {
                error: 'This path is for WebSocket clients',
                code: 'UPGRADE_REQUIRED',
                requestId: expect.any(String),
            },
            upgrade: 'websocket',
        });
    });

    it('tells a new socket who and where it is, in both spellings', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        const socket = await connect(server, account, { clientType: 'session-scoped', sessionId });
        const data = {
            connectionId: expect.any(String),
            userId: account.id,
            clientType: 'session-scoped',
            sessionId,
            timestamp: Date.now(),
            seq: 1,
        };
        expect(socket.frames[0]).toEqual({
            event: 'connected',
            type: 'connected',
            data,
            payload: data,
            timestamp: Date.now(),
        });
    });

    it('takes client type and ids from headers as from the query', async () => {
        const account = await createAccount(server);
        const machineId = await createMachine(account);
        const headers = { ...bearer(account), 'X-Client-Type': 'machine-scoped', 'X-Machine-Id': machineId };
        const byHeader = await openSocket(server, { headers });
        const byQuery = await connect(server, account, { clientType: 'machine-scoped', machineId });
        for (const { frames } of [byHeader, byQuery]) {
            expect(frames[0]?.data).toMatchObject({ clientType: 'machine-scoped', machineId });
            expect(frames[0]?.data).not.toHaveProperty('sessionId');
        }
    });

    it('costs one round trip to the database, whether by header or by ticket', async () => {
        const account = await createAccount(server);
        const sessionId = await createSession(account);
        const query = { clientType: 'session-scoped', sessionId };
        const ticket = await ticketOf(account);
        expect(await roundTripsOf(server, () => openSocket(server, { headers: bearer(account), query }))).toBe(1);
        expect(await roundTripsOf(server, () => openSocket(server, { query: { ...query, ticket } }))).toBe(1);
    });
});

describe('a refusal', () => {
    it.each([
        ['a token in the query', { query: { token: 'x' } }],
        ['a ticket that is none', { query: { ticket: 'x' } }],
        ['a ticket with a foreign signature', { query: { ticket: `${btoa('{}')}.AAAA` } }],
        ['an endless ticket', { query: { ticket: 'x'.repeat(5_000) } }],
        ['an empty ticket', { query: { ticket: '' } }],
        ['a header that is no bearer token', { headers: { Authorization: 'Basic eDp5' } }],
        ['a bad token in the header', { headers: { Authorization: 'Bearer x' } }],
    ])('of %s is a close with 4001 by the Worker alone', async (_, options) => {
        expect(await closeOf(options, untouchable)).toEqual({ code: 4001, frames: [] });
    });

    it('of a token in the query stands even if the token is good', async () => {
        const account = await createAccount(server);
        expect(await closeOf({ query: { token: account.token } }, untouchable)).toMatchObject({ code: 4001 });
        expect(await closeOf({ query: { token: account.token }, headers: bearer(account) }, untouchable)).toMatchObject(
            { code: 4001 },
        );
    });

    it('of an unknown client type is 4002, of missing ids 4003 and 4004', async () => {
        const account = await createAccount(server);
        const headers = bearer(account);
        const refused = async (query: Record<string, string>) => (await closeOf({ headers, query }, untouchable)).code;
        expect(await refused({ clientType: 'admin' })).toBe(4002);
        expect(await refused({ clientType: '' })).toBe(4002);
        expect(await refused({ clientType: '__proto__' })).toBe(4002);
        expect(await refused({ clientType: 'session-scoped' })).toBe(4003);
        expect(await refused({ clientType: 'session-scoped', sessionId: '' })).toBe(4003);
        expect(await refused({ clientType: 'session-scoped', sessionId: 'x'.repeat(129) })).toBe(4003);
        expect(await refused({ clientType: 'machine-scoped', sessionId: 'x' })).toBe(4004);
    });

    it("of somebody else's session or machine is like that of a missing one", async () => {
        const [account, other] = [await createAccount(server), await createAccount(server)];
        const [sessionId, machineId] = [await createSession(other), await createMachine(other)];
        const headers = bearer(account);
        const refused = (query: Record<string, string>) => closeOf({ headers, query }, untouchable);
        expect(await refused({ clientType: 'session-scoped', sessionId })).toEqual(
            await refused({ clientType: 'session-scoped', sessionId: 'missing' }),
        );
        expect((await refused({ clientType: 'session-scoped', sessionId })).code).toBe(4003);
        expect((await refused({ clientType: 'machine-scoped', machineId })).code).toBe(4004);
        expect((await refused({ clientType: 'machine-scoped', machineId: 'missing' })).code).toBe(4004);
    });

    it('meets a revoked token at once, even where it is still remembered as good', async () => {
        const account = await createAccount(server);
        const elsewhere = startServer();
        const headers = bearer(account);
        await openSocket(elsewhere, { headers });
        await account.call('POST', '/v1/auth/logout');
        expect(await closeOf({ headers }, elsewhere)).toEqual({ code: 4001, frames: [] });
    });
});

describe('sockets that say later whose they are', () => {
    it.each(['/v1/updates', '/v1/websocket', '/trpc?connectionParams=1'])(
        'are let in at %s up to the limit of their address',
        async (path) => {
            const asked: string[] = [];
            const limiter = {
                limit: async ({ key }: { key: string }) => ({ success: asked.push(key) < 2 }),
            };
            const limited = startServer({ UPGRADE_LIMITER: limiter });
            const headers = { Upgrade: 'websocket', 'CF-Connecting-IP': '192.0.2.8' };
            const first = await limited.fetch(path, { headers });
            first.webSocket?.accept();
            first.webSocket?.close();
            const second = await limited.fetch(path, { headers });
            expect([first.status, second.status, second.headers.get('Retry-After')]).toEqual([101, 429, '60']);
            expect(await second.json()).toMatchObject({ code: 'RATE_LIMITED' });
            expect(asked).toEqual(['192.0.2.8', '192.0.2.8']);
        },
    );
});

describe('a ticket', () => {
    it('opens one socket, in a browser too', async () => {
        const account = await createAccount(server);
        const ticket = await ticketOf(account);
        const socket = await openSocket(server, { query: { ticket } });
        expect(socket.frames[0]?.data.userId).toBe(account.id);
        expect(await closeOf({ query: { ticket } }, untouchable)).toMatchObject({ code: 4001 });
    });

    it('opens one socket even if twenty try at once', async () => {
        const account = await createAccount(server);
        const ticket = await ticketOf(account);
        const sockets = await Promise.all(
            Array.from({ length: 20 }, () => openSocket(server, { query: { ticket }, greet: false })),
        );
        const ends = await Promise.all(
            sockets.map((socket) =>
                Promise.race([
                    socket.untilClosed().then(({ code }) => code),
                    socket.next(() => true).then(() => 'connected'),
                ]),
            ),
        );
        expect(ends.toSorted()).toEqual([...Array<number>(19).fill(4001), 'connected']);
    });

    it('ends after thirty seconds', async () => {
        const account = await createAccount(server);
        const [first, second] = [await ticketOf(account), await ticketOf(account)];
        clock.advance(29_999);
        await openSocket(server, { query: { ticket: first } });
        clock.advance(1);
        expect(await closeOf({ query: { ticket: second } }, untouchable)).toMatchObject({ code: 4001 });
    });

    it('ends with the token it was made with', async () => {
        const account = await createAccount(server);
        const ticket = await ticketOf(account);
        await account.call('POST', '/v1/auth/logout');
        expect(await closeOf({ query: { ticket } }, untouchable)).toMatchObject({ code: 4001 });
    });

    it('is not spent by a handshake that makes no sense', async () => {
        const ticket = await ticketOf(await createAccount(server));
        expect(await closeOf({ query: { ticket, clientType: 'admin' } }, untouchable)).toMatchObject({ code: 4002 });
        await openSocket(server, { query: { ticket } });
    });

    it('needs a token', async () => {
        expect((await call(server, 'POST', '/v1/websocket/ticket')).status).toBe(401);
    });
});
