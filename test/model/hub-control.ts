import { env } from 'cloudflare:workers';
import type { AccountHub } from '@/realtime/hub';
import type { Publication } from '@/realtime/updates';

/** What becomes of a publication: `drop` is a Worker that died after its commit, `hold` one that is slow. */
export type Fate = 'pass' | 'drop' | 'hold';

/** Real hubs that hear of writes when the test wants them to. */
export interface HubControl {
    binding: DurableObjectNamespace<AccountHub>;
    /** The fate of publications from now on. */
    fate: Fate;
    /** Lets an account's held publications through, the last one first. */
    release(accountId: string): Promise<void>;
}

/** Wraps the real hubs. */
export function controlHubs(): HubControl {
    const held = new Map<string, Publication[]>();
    const control: HubControl = {
        binding: { getByName: wrap } as unknown as DurableObjectNamespace<AccountHub>,
        fate: 'pass',
        async release(accountId) {
            const publications = held.get(accountId) ?? [];
            held.delete(accountId);
            for (const publication of publications.toReversed()) {
                await env.ACCOUNT_HUB.getByName(accountId).publish(publication);
            }
        },
    };

    function wrap(accountId: string) {
        const stub = env.ACCOUNT_HUB.getByName(accountId);
        async function publish(publication: Publication): Promise<void> {
            if (control.fate === 'pass') await stub.publish(publication);
            if (control.fate === 'hold') held.set(accountId, [...(held.get(accountId) ?? []), publication]);
        }
        const own: Record<PropertyKey, unknown> = { publish, fetch: (request: Request) => stub.fetch(request) };
        return new Proxy(stub, { get: (target, key) => own[key] ?? Reflect.get(target, key) });
    }

    return control;
}
