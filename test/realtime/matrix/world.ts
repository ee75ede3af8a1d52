import { vi } from 'vitest';
import { call, createAccount, createMachine, createSession } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';
import type { TestSocket } from '@test/helpers/socket';
import { bearer, connect, openSocket, settled } from '@test/helpers/socket';

/** The recipients of contract 5, each as a socket in the hub and one in a gateway. */
export const OWN = ['user', 'session', 'otherSession', 'machine', 'otherMachine'] as const;
export type Recipient = (typeof OWN)[number] | 'peer';

/** An account with everything that can be followed, a friend to be, and a stranger who must never hear a thing. */
export interface World {
    server: TestServer;
    account: TestAccount;
    /** Knows the account, and is told of what concerns both. */
    peer: TestAccount;
    sid: string;
    machineId: string;
    /** The user-scoped socket that writes. */
    writer: TestSocket;
    /** Calls a procedure over a tRPC client's socket; it follows nothing. */
    callOverSocket(path: string, input: unknown): Promise<void>;
    /**
     * What each recipient was told since the last time, hub and gateway alike. A write over a socket publishes to other
     * accounts after its answer: what is awaited gets a while to come, and whatever else came is there, too.
     */
    heard(awaited?: Record<string, unknown[]>): Promise<Record<string, unknown[]>>;
    /** What the stranger was told, ever. */
    strangersFrames(): Promise<string[]>;
    /** What the writer was told since the last time. */
    writerHeard(): unknown[];
}

/** Builds a world. The stranger has a machine of the same id: ids of machines are an account's own. */
export async function createWorld(server: TestServer): Promise<World> {
    const [account, peer, stranger] = await Promise.all([
        createAccount(server),
        createAccount(server),
        createAccount(server),
    ]);
    const [sid, otherSid] = [await createSession(account), await createSession(account)];
    const [machineId, otherMachineId] = [await createMachine(account), await createMachine(account)];
    const strangersSid = await createSession(stranger);
    await createMachine(stranger, machineId);

    const scopes = {
        user: {},
        session: { clientType: 'session-scoped', sessionId: sid },
        otherSession: { clientType: 'session-scoped', sessionId: otherSid },
        machine: { clientType: 'machine-scoped', machineId },
        otherMachine: { clientType: 'machine-scoped', machineId: otherMachineId },
    };
    const sockets: [Recipient, TestSocket][] = [];
    for (const host of ['hub', 'gateway'] as const) {
        for (const name of OWN) sockets.push([name, await connect(server, account, { host, ...scopes[name] })]);
        sockets.push(['peer', await connect(server, peer, { host })]);
    }
    const strangers = [
        await connect(server, stranger),
        await connect(server, stranger, { host: 'gateway' }),
        await connect(server, stranger, { clientType: 'session-scoped', sessionId: strangersSid }),
        await connect(server, stranger, { host: 'gateway', clientType: 'machine-scoped', machineId }),
    ];
    const writer = await connect(server, account);
    const caller = await openSocket(server, { path: '/trpc', headers: bearer(account), greet: false });
    let calls = 0;
    const own = sockets.filter(([name]) => name !== 'peer').map(([, socket]) => socket);
    const peers = sockets.filter(([name]) => name === 'peer').map(([, socket]) => socket);
    // Machines have come online, which is told in its own time.
    const [first] = own;
    for (const id of [machineId, otherMachineId])
        await first?.next(({ data }) => data.machineId === id && data.online === true);
    await Promise.all([settled(account, [...own, writer]), settled(peer, peers)]);
    for (const { frames } of [...own, ...peers, writer]) frames.length = 0;
    const strangersOwn = (frame: { event: string; data: { type?: string } }) =>
        frame.event === 'connected' || frame.data.type === 'barrier' || frame.data.type?.startsWith('machine-');

    return {
        server,
        account,
        peer,
        sid,
        machineId,
        writer,
        async callOverSocket(path, input) {
            const id = (calls += 1);
            caller.sendText(JSON.stringify({ id, method: 'mutation', params: { path, input } }));
            const answer = (await caller.next((frame) => 'id' in frame && frame.id === id)) as object;
            if (!('result' in answer)) throw new Error(`${path} answered ${JSON.stringify(answer)}`);
        },
        async heard(awaited = {}) {
            // What is missing after that shows in the comparison.
            await Promise.allSettled(
                sockets.map(([name, { frames }]) =>
                    vi.waitUntil(() => bodiesIn(frames).length >= (awaited[name]?.length ?? 0), { timeout: 5_000 }),
                ),
            );
            await Promise.all([settled(account, [...own, writer]), settled(peer, peers)]);
            const told: Record<string, unknown[]> = {};
            for (const [name, socket] of sockets) {
                const bodies = bodiesOf(socket);
                if (told[name] && JSON.stringify(told[name]) !== JSON.stringify(bodies)) {
                    throw new Error(`Hub and gateway differ for ${name}: ${JSON.stringify([told[name], bodies])}`);
                }
                told[name] = bodies;
            }
            return told;
        },
        async strangersFrames() {
            await settled(stranger, strangers);
            return strangers.flatMap(({ frames }) =>
                frames.filter((frame) => !strangersOwn(frame)).map((frame) => JSON.stringify(frame)),
            );
        },
        writerHeard: () => bodiesOf(writer),
    };
}

/** Takes what a socket was told. */
function bodiesOf(socket: TestSocket): unknown[] {
    return bodiesIn(socket.frames.splice(0));
}

/** Bodies of updates, ephemerals as they are; acknowledgements and barriers left out. */
function bodiesIn(frames: TestSocket['frames']): unknown[] {
    return frames.flatMap(({ event, data }) => {
        if (event === 'update') return [data.body];
        return event === 'ephemeral' ? [data] : [];
    });
}

/** Calls a procedure at the tRPC door; its output. */
export async function callTrpc(server: TestServer, account: TestAccount, path: string, input: unknown) {
    const headers = { Authorization: `Bearer ${account.token}` };
    const { status, body } = await call(server, 'POST', `/trpc/${path}`, input ?? {}, headers);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    return body.result.data;
}
