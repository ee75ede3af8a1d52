import { runInDurableObject } from 'cloudflare:test';
import { env as realEnv } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';
import type { AccountHub } from '@/realtime/hub';
import type { Publication } from '@/realtime/updates';

/** What happened on a wrapped hub namespace. */
export interface HubProbe {
    /** For `startServer({ ACCOUNT_HUB: hubs.binding })`. */
    binding: DurableObjectNamespace<AccountHub>;
    /** Everything that was handed to a hub, also what failed, in the order of trying. */
    attempts: (Publication & { accountId: string })[];
    /** Makes the next `times` publishes fail without reaching the hub. */
    failNext(times: number): void;
    /** Loses the next `times` publishes without a word, as a Worker does that dies after its commit. */
    loseNext(times: number): void;
    /** Keeps every publish on its way for so long, in ms: publications overtake each other. */
    delay(ms: () => number): void;
}

/** Wraps the real hubs: they work as ever, but what they are told is seen, and can get lost or come late. */
export function probeHubs(): HubProbe {
    const attempts: HubProbe['attempts'] = [];
    let failures = 0;
    let losses = 0;
    let delayOf: (() => number) | undefined;

    function wrap(accountId: string) {
        const stub = realEnv.ACCOUNT_HUB.getByName(accountId);
        async function publish(publication: Publication): Promise<void> {
            if (delayOf) await new Promise((resolve) => setTimeout(resolve, delayOf?.()));
            attempts.push({ accountId, ...publication });
            if (losses > 0) {
                losses -= 1;
                return;
            }
            if (failures > 0) {
                failures -= 1;
                throw new Error('Durable Object is overloaded');
            }
            await stub.publish(publication);
        }
        return new Proxy(stub, { get: (target, key) => (key === 'publish' ? publish : Reflect.get(target, key)) });
    }

    return {
        binding: { getByName: wrap } as unknown as DurableObjectNamespace<AccountHub>,
        attempts,
        failNext: (times) => (failures = times),
        loseNext: (times) => (losses = times),
        delay: (ms) => (delayOf = ms),
    };
}

/** What an eviction or a crash leaves of a hub: a new instance, on the same storage, and here on the same sockets. */
export async function renewHub(accountId: string): Promise<void> {
    await runInDurableObject(realEnv.ACCOUNT_HUB.getByName(accountId), (instance, state) =>
        renew(instance, state, realEnv),
    );
}

/** The same for any object that a test is in. */
export function renew(instance: object, state: DurableObjectState, env: unknown): void {
    const Class = instance.constructor as new (state: DurableObjectState, bindings: unknown) => object;
    const fresh = new Class(state, env);
    for (const key of Object.keys(fresh)) Object.assign(instance, { [key]: Reflect.get(fresh, key) });
}

/** Puts `around` about each call that an account's hub makes to a gateway, until the answer is called. */
export async function interceptGateways(
    accountId: string,
    around: (call: () => Promise<unknown>, method: string) => Promise<unknown>,
): Promise<() => Promise<void>> {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => log.mockRestore());
    const setGateways = (binding: unknown) =>
        runInDurableObject(realEnv.ACCOUNT_HUB.getByName(accountId), (instance) => {
            Object.assign(instance, { env: { ...realEnv, SOCKET_GATEWAY: binding } });
        });
    const intercept = (target: object, method: string) => {
        const original = Reflect.get(target, method) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => around(() => original(...args), method);
    };
    const getByName = (name: string) =>
        new Proxy(realEnv.SOCKET_GATEWAY.getByName(name), { get: (target, key) => intercept(target, String(key)) });
    await setGateways({ getByName });
    return () => setGateways(realEnv.SOCKET_GATEWAY);
}

/** Makes an account's hub unable to reach gateways, until the answer is called. */
export function cutOffGateways(accountId: string): Promise<() => Promise<void>> {
    return interceptGateways(accountId, () => Promise.reject(new Error('Network connection lost.')));
}
