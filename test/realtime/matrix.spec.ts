import type { AnyProcedure } from '@trpc/server';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '@/app';
import { restRoutes } from '@/http/rest';
import { eventNames } from '@/realtime/frames';
import { appRouter } from '@/routers';
import { createSession } from '@test/helpers/account';
import { connectGithub, githubServices } from '@test/helpers/github';
import { connect, settled } from '@test/helpers/socket';
import { BARE_ROUTES, ELSEWHERE, SILENT_EVENTS, SILENT_PROCEDURES, rows } from '@test/realtime/matrix/rows';
import type { Input, Row, Told } from '@test/realtime/matrix/rows';
import { OWN, callTrpc, createWorld } from '@test/realtime/matrix/world';
import type { World } from '@test/realtime/matrix/world';

const { services, server } = githubServices();
const routes = restRoutes();
/** All of them, whether they have a REST path or not. */
const procedures = appRouter._def.procedures as unknown as Record<string, AnyProcedure>;
const STOCK = { 'X-Happy-Client': 'cli/1.0' };
let world: World;

beforeAll(async () => {
    world = await createWorld(server);
});

type Door = (input: Input, row: Row) => Promise<unknown>;

/** Every door that a row's write has, by name. */
function doorsOf(row: Row): [string, Door][] {
    const rest = row.without === 'rest' ? [] : routes.filter(({ procedurePath }) => procedurePath === row.procedure);
    const doors: [string, Door][] = rest.map(({ method, path }) => [
        `${method} ${path}`,
        (input) => byRest(method, path, input, row),
    ]);
    const { procedure, event } = row;
    if (procedure && row.without !== 'trpc') {
        doors.push([`tRPC ${procedure}`, (input) => callTrpc(server, world.account, procedure, input)]);
        doors.push([`tRPC over a WebSocket ${procedure}`, (input) => world.callOverSocket(procedure, input)]);
    }
    if (event)
        doors.push([`socket ${event}`, (input) => world.writer.request(event, row.data ? row.data(input) : input)]);
    for (const [name, run] of Object.entries(row.other ?? {})) doors.push([name, (input) => run(world, input)]);
    return doors;
}

async function byRest(method: string, path: string, input: Input, row: Row): Promise<void> {
    const rest = { ...input };
    const url = path.replaceAll(/:(\w+)/g, (_, name: string) => {
        const value = String(rest[name]);
        delete rest[name];
        return encodeURIComponent(value);
    });
    const { status, body } = await world.account.call(method, url, method === 'DELETE' ? undefined : rest, row.headers);
    // Lost locks are answers, too.
    if (status !== 200 && status !== 409)
        throw new Error(`${method} ${url} answered ${status}: ${JSON.stringify(body)}`);
}

function expected(told: Told[]): Record<string, unknown[]> {
    return Object.fromEntries(
        [...OWN, 'peer'].map((name) => [
            name,
            told.filter(({ to }) => to.includes(name as never)).map(({ body }) => body),
        ]),
    );
}

const cases = rows.flatMap((row) => doorsOf(row).map(([door, write]) => [row.name, door, row, write] as const));

describe('who is told of a write', () => {
    it.each(cases)('%s · %s', async (_, door, row, write) => {
        const input = await row.input(world);
        await world.heard();
        world.writerHeard();
        await write(input, row);
        const told = row.tells(world, input);
        expect(await world.heard(expected(told))).toEqual(expected(told));
        const isSkipped = row.skipsSender && door.startsWith('socket');
        expect(world.writerHeard()).toEqual(isSkipped ? [] : expected(told).user);
        expect(await world.strangersFrames()).toEqual([]);
    });

    it.each([
        ['REST', (id: string) => world.account.call('DELETE', `/v1/sessions/${id}`, undefined, STOCK)],
        ['tRPC', (id: string) => callTrpc(server, world.account, 'sessions.delete', { id, hard: true })],
    ])('a session that is removed under its own sockets, by %s', async (_, remove) => {
        const id = await createSession(world.account);
        const scope = { clientType: 'session-scoped', sessionId: id };
        const [near, far] = [
            await connect(server, world.account, scope),
            await connect(server, world.account, { ...scope, host: 'gateway' }),
        ];
        await world.heard();
        await remove(id);
        const body = { t: 'delete-session', sid: id };
        expect(await world.heard()).toEqual(expected([{ to: ['user'], body }]));
        await settled(world.account, [near, far]);
        for (const socket of [near, far]) {
            expect(socket.updates().map((update) => update.body)).toEqual([body]);
            socket.close();
        }
    });

    it('a GitHub account that is connected, and disconnected, by every door', async () => {
        const disconnect: Door[] = [
            () => world.account.call('DELETE', '/v1/connect/github'),
            () => callTrpc(server, world.account, 'connect.disconnectGithub', {}),
        ];
        for (const [i, write] of disconnect.entries()) {
            await world.heard();
            const { person } = await connectGithub(server, services, world.account);
            const { id, login, name, avatar_url, bio } = person;
            const told = (await world.heard()) as Record<string, Record<string, unknown>[]>;
            expect(told).toEqual(expected([{ to: ['user'], body: expect.objectContaining({ t: 'update-account' }) }]));
            expect(told.user?.[0]).toMatchObject({
                id: world.account.id,
                github: { id, login, name, avatar_url, bio },
            });
            await write({}, rows[i]!);
            expect(await world.heard()).toEqual(
                expected([{ to: ['user'], body: { t: 'update-account', id: world.account.id, github: null } }]),
            );
        }
        expect(await world.strangersFrames()).toEqual([]);
    });
});

describe('the matrix', () => {
    it('has every procedure that may write', () => {
        const known = new Set([...rows.map(({ procedure }) => procedure), ...SILENT_PROCEDURES, ...ELSEWHERE]);
        const mutations = Object.entries(procedures).filter(([, { _def }]) => _def.type === 'mutation');
        expect(mutations.map(([name]) => name).filter((name) => !known.has(name))).toEqual([]);
        expect([...known].filter((name) => name !== undefined && !(name in procedures))).toEqual([]);
    });

    it('has every route that may write without a procedure', () => {
        const ofProcedures = new Set(routes.map(({ method, path }) => `${method} ${path}`));
        const bare = createApp().routes.filter(({ method }) => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method));
        const names = new Set(bare.map(({ method, path }) => `${method} ${path}`));
        expect([...names].filter((name) => !ofProcedures.has(name)).toSorted()).toEqual([...BARE_ROUTES].toSorted());
    });

    it('has every client event', () => {
        const known = new Set([...rows.map(({ event }) => event), ...SILENT_EVENTS]);
        expect(eventNames.filter((name) => !known.has(name))).toEqual([]);
        expect([...SILENT_EVENTS].filter((name) => !eventNames.includes(name))).toEqual([]);
    });

    it('has every update and ephemeral of the contract', async () => {
        const told = new Set<unknown>();
        for (const row of rows) {
            for (const { body } of row.tells(world, await row.input(world))) told.add(body.t ?? body.type);
        }
        expect([...told].toSorted()).toEqual([
            'activity',
            'delete-artifact',
            'delete-machine',
            'delete-session',
            'kv-batch-update',
            'machine-activity',
            'machine-status',
            'new-artifact',
            'new-feed-post',
            'new-machine',
            'new-message',
            'new-session',
            'relationship-updated',
            'session-event',
            'update-account',
            'update-artifact',
            'update-machine',
            'update-session',
            'usage',
        ]);
    });
});
