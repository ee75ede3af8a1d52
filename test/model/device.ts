import { expect } from 'vitest';
import type { Update } from '@/realtime/updates';
import type { TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';
import type { TestSocket } from '@test/helpers/socket';
import { connect } from '@test/helpers/socket';

/** A committed update as the model knows it: the session it concerns, and the device that was skipped as its sender. */
export interface Committed {
    seq: number;
    sid: string;
    skipped?: Device;
}

/** A client as a real one behaves: it knows up to which seq it has everything, and says so when it comes back. */
export interface Device {
    socket: TestSocket;
    /** Session it is scoped to; absent for an app. */
    sid?: string;
    host: 'hub' | 'gateway';
    /** Everything up to this seq it has, or fetched when it came. */
    base: number;
    /** What it got by resuming by hand. */
    resumed: Update[];
}

/** Connects a device; with `since` it resumes from there. */
export async function openDevice(
    server: TestServer,
    account: TestAccount,
    { sid, host, since }: { sid?: string | undefined; host: 'hub' | 'gateway'; since?: number | undefined },
): Promise<Device> {
    const scope = sid === undefined ? {} : { clientType: 'session-scoped', sessionId: sid };
    const socket = await connect(server, account, { ...scope, host, ...(since !== undefined && { lastSeq: since }) });
    const { seq } = socket.frames[0]?.data ?? {};
    return { socket, ...(sid !== undefined && { sid }), host, base: since ?? seq, resumed: [] };
}

/** The seq a device would resume from: the last it heard of. */
export function reached(device: Device): number {
    const { base, socket, resumed } = device;
    return Math.max(
        base,
        ...[...socket.updates(), ...socket.all('resync'), ...resumed].map(({ seq }) => seq as number),
    );
}

/** Whether an update is for a device. */
function concerns({ sid, skipped }: Committed, device: Device): boolean {
    return skipped !== device && (device.sid === undefined || device.sid === sid);
}

/**
 * What holds at any time: a device gets updates in order, each once (P3), only of its own (P8), and never one without
 * those before it, unless it was told to start over (P5).
 */
export function checkStream(device: Device, committed: Committed[]): void {
    const known = new Map(committed.map((update) => [update.seq, update]));
    let position = device.base;
    let last = 0;
    for (const { event, data } of device.socket.frames) {
        if (event === 'resync') position = Math.max(position, data.seq);
        if (event !== 'update') continue;
        const { seq, body } = data as Update;
        expect(seq, 'updates come in order, each once').toBeGreaterThan(last);
        last = seq;
        const update = known.get(seq);
        expect(update, 'only updates of its own account').toBeDefined();
        expect(update?.skipped, 'no echo to the sender').not.toBe(device);
        if (body.t !== 'new-session') expect(body).toHaveProperty('sid', update?.sid);
        if (device.sid !== undefined) expect(update?.sid).toBe(device.sid);
        // What was on its way when it came or was told to start over may still arrive.
        for (let between = position + 1; between < seq; between++) {
            const missing = known.get(between);
            expect(missing && concerns(missing, device), `update ${between} is missing before ${seq}`).toBeFalsy();
        }
        position = Math.max(position, seq);
    }
}

/** What holds once nothing is on its way: a device has every update since it came, or was told to start over (P6). */
export function checkComplete(device: Device, committed: Committed[]): void {
    const got = new Set([...device.socket.updates(), ...device.resumed].map(({ seq }) => seq as number));
    const startedOver = Math.max(0, ...device.socket.all('resync').map(({ seq }) => seq as number));
    const missing = committed.filter(
        (update) =>
            update.seq > device.base && update.seq > startedOver && concerns(update, device) && !got.has(update.seq),
    );
    expect(
        missing.map(({ seq }) => seq),
        'updates that a device never heard of',
    ).toEqual([]);
}
