import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { createAlarms } from '@/realtime/alarms';
import type { Alarms } from '@/realtime/alarms';
import { createSilenceWatch } from '@/realtime/silence';

const START = Date.now() + 1_000_000;

interface Scratch {
    alarms: Alarms<'a' | 'b'>;
    reopen(): Alarms<'a' | 'b'>;
    /** What the runtime has been told, Unix ms. */
    pending(): Promise<number | null>;
    moveTo(now: number): void;
}

function withAlarms(run: (scratch: Scratch) => Promise<void>): Promise<void> {
    return runInDurableObject(env.ACCOUNT_HUB.getByName(crypto.randomUUID()), (_, { storage }) => {
        let now = START;
        const reopen = () => createAlarms<'a' | 'b'>(storage, () => now);
        return run({ alarms: reopen(), reopen, pending: () => storage.getAlarm(), moveTo: (to) => (now = to) });
    });
}

const nothing = { a: () => undefined, b: () => undefined };

describe('alarms', () => {
    it('ring at the earliest time, and are not pending when there is none', () =>
        withAlarms(async ({ alarms, pending }) => {
            expect(await pending()).toBeNull();
            alarms.set('a', START + 20);
            alarms.set('b', START + 10);
            expect(await pending()).toBe(START + 10);
            alarms.set('b', START + 30);
            expect(await pending()).toBe(START + 20);
            alarms.set('a', null);
            alarms.set('b', null);
            expect(await pending()).toBeNull();
        }));

    it('run what is due, and only that', () =>
        withAlarms(async ({ alarms, pending, moveTo }) => {
            alarms.set('a', START + 10);
            alarms.set('b', START + 20);
            moveTo(START + 10);
            const rang: string[] = [];
            const tasks = { a: () => void rang.push('a'), b: () => void rang.push('b') };
            await alarms.ring(tasks, () => undefined);
            expect([rang, alarms.get('a'), await pending()]).toEqual([['a'], null, START + 20]);
            moveTo(START + 25);
            await alarms.ring(tasks, () => undefined);
            expect([rang, await pending()]).toEqual([['a', 'b'], null]);
        }));

    it('that ring too early are set again', () =>
        withAlarms(async ({ alarms, pending, moveTo, reopen }) => {
            alarms.set('a', START + 10);
            moveTo(START + 9);
            await alarms.ring(nothing, () => undefined);
            expect([await pending(), reopen().get('a')]).toEqual([START + 10, START + 10]);
        }));

    it('may be set again by their own task', () =>
        withAlarms(async ({ alarms, pending, moveTo }) => {
            alarms.set('a', START);
            moveTo(START);
            await alarms.ring({ ...nothing, a: () => alarms.set('a', START + 50) }, () => undefined);
            expect(await pending()).toBe(START + 50);
        }));

    it('whose task fails are told of, and run again; the others run all the same', () =>
        withAlarms(async ({ alarms, pending, moveTo }) => {
            alarms.set('a', START);
            alarms.set('b', START);
            moveTo(START);
            const [failed, rang]: [unknown[], string[]] = [[], []];
            const tasks = { a: () => Promise.reject(new Error('no')), b: () => void rang.push('b') };
            await alarms.ring(tasks, (name, error) => failed.push([name, error]));
            expect([failed, rang, await pending()]).toEqual([[['a', new Error('no')]], ['b'], START + 10_000]);
        }));

    it.each([START + 50, null])('that are put off to %s while another task runs do not ring', (to) =>
        withAlarms(async ({ alarms, pending, moveTo }) => {
            alarms.set('a', START);
            alarms.set('b', START);
            moveTo(START);
            const rang: string[] = [];
            await alarms.ring({ a: () => alarms.set('b', to), b: () => void rang.push('b') }, () => undefined);
            expect([rang, await pending()]).toEqual([[], to]);
        }),
    );

    it('outlive an eviction, also one in the middle of their task', () =>
        withAlarms(async ({ alarms, reopen, moveTo }) => {
            alarms.set('a', START);
            moveTo(START);
            let found: number | null | undefined;
            await alarms.ring({ ...nothing, a: () => void (found = reopen().get('a')) }, () => undefined);
            expect([found, reopen().get('a')]).toEqual([START, null]);
        }));
});

describe('the watch for silence', () => {
    function watch(sweep: () => Promise<number | null>) {
        let at: number | null = null;
        const options = { get: () => at, set: (to: number | null) => (at = to), now: () => START, silenceMs: 600_000 };
        return { silence: createSilenceWatch({ ...options, sweep }), at: () => at };
    }

    it('waits ten minutes from the first sign of life', () => {
        const { silence, at } = watch(() => Promise.resolve(null));
        silence.reconsider();
        expect(at()).toBeNull();
        silence.expect();
        silence.expect();
        expect(at()).toBe(START + 600_000);
        silence.reconsider();
        expect(at()).toBe(START + 1_000);
    });

    it('comes again when the next object is due, or rests', async () => {
        const dues = [START + 5, null];
        const { silence, at } = watch(() => Promise.resolve(dues.shift() ?? null));
        silence.expect();
        await silence.sweep();
        expect(at()).toBe(START + 5);
        await silence.sweep();
        expect(at()).toBeNull();
    });

    it('does not rest on what the database said before something began', async () => {
        const { silence, at } = watch(() => {
            silence.expect();
            return Promise.resolve(null);
        });
        await silence.sweep();
        expect(at()).toBe(START + 1_000);
    });
});
