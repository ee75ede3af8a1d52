import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { CoreUpdateContainerSchema } from '@slopus/happy-wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSocket } from '../../scripts/lib/demo-socket';
import type { Socket } from '../../scripts/lib/demo-socket';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

// In a workerd process of its own, since the test pool hands an object its events in any order.
let server: WorkerdServer;
beforeAll(async () => {
    server = await startWorkerd();
});
afterAll(() => server.stop());

const origin = () => server.url.replace(/\/$/, '');

async function post(path: string, body: object, token?: string) {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(origin() + path, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.status).toBe(200);
    // Tests say themselves what they expect of a body.
    // oxlint-disable-next-line typescript/no-explicit-any
    return (await response.json()) as any;
}

async function logIn(): Promise<{ token: string; sid: string }> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const challenge = randomBytes(32);
    const { token } = await post('/v1/auth', {
        publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64'),
        challenge: challenge.toString('base64'),
        signature: sign(null, challenge, privateKey).toString('base64'),
    });
    const { session } = await post('/v1/sessions', { tag: randomUUID(), metadata: 'm' }, token);
    return { token, sid: session.id };
}

/** Opens a socket in the hub, or in a gateway by saying whose it is in the first message. */
async function open(host: 'hub' | 'gateway', token: string): Promise<Socket> {
    if (host === 'hub') return openSocket(origin(), { token });
    return openSocket(origin(), { auth: { token } });
}

describe.each(['hub', 'gateway'] as const)('frames of one socket in the %s', (host) => {
    it('are handled in the order they came, whatever each has to wait for', async () => {
        const { token, sid } = await logIn();
        const [sender, watcher] = [await open(host, token), await open(host, token)];
        const names = Array.from({ length: 300 }, (_, i) => `${i}`);
        for (const [i, name] of names.entries()) {
            sender.send({ event: 'message', data: { sid, message: name, localId: name }, ackId: name });
            // Those that need no database must not overtake those that do.
            if (i % 10 === 0) sender.send({ event: 'broadcast', data: name, ackId: `b${name}` });
        }
        await sender.next('the last answer', ({ ackId }) => ackId === '299');
        const acks = sender.frames.filter(({ event }) => event === 'ack');
        const expected = names.flatMap((name, i) => (i % 10 === 0 ? [name, `b${name}`] : [name]));
        expect(acks.map(({ ackId }) => ackId)).toEqual(expected);
        expect(
            acks.filter(({ ackId }) => /^\d/.test(String(ackId))).map(({ ack }) => (ack as { seq: number }).seq),
        ).toEqual(names.map((_, i) => i + 1));
        await watcher.next('the last update', ({ event, data }) => event === 'update' && data.seq === 301);
        expect(watcher.updates().map(({ seq }) => seq)).toEqual(names.map((_, i) => i + 2));
        await Promise.all([sender.close(), watcher.close()]);
    });
});

describe('updates', () => {
    it('can be read by published clients, where they have a schema', async () => {
        const { token, sid } = await logIn();
        const watcher = await open('hub', token);
        const id = randomUUID();
        const writer = await open('gateway', token);
        await writer.request('message', { sid, message: 'm', localId: 'l' });
        await writer.request('update-metadata', { sid, metadata: 'n', expectedVersion: 1 });
        await writer.request('update-state', { sid, agentState: null, expectedVersion: 0 });
        await post('/v1/machines', { id, metadata: 'm' }, token);
        await writer.request('machine-update-metadata', { machineId: id, metadata: 'n', expectedVersion: 1 });
        await writer.request('machine-update-state', { machineId: id, daemonState: 'd', expectedVersion: 0 });
        await watcher.next('the last update', ({ event, data }) => event === 'update' && data.seq === 8);
        const core = watcher.updates().filter(({ body }) => body.t !== 'new-machine');
        expect(core.map(({ body }) => body.t)).toEqual([
            'new-message',
            'update-session',
            'update-session',
            'update-machine',
            'update-machine',
            'update-machine',
        ]);
        for (const update of core) expect(CoreUpdateContainerSchema.parse(update)).toMatchObject({ seq: update.seq });
        await Promise.all([watcher.close(), writer.close()]);
    });
});
